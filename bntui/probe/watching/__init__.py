"""Somebody else's training, watched while it runs."""
