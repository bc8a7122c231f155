"""The terminal at the other end: what it can show, what it sends, how few bytes it is sent."""
