"""Small screens that ask, tell or save, opened from any other."""
