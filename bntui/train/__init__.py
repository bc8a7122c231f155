"""The thread's network, trained one update at a time on a thread of its own."""
