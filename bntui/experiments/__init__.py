"""Guided experiments: what one is, how its file is read, how its claims are judged."""
