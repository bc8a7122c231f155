"""The screen on which a new run's settings are chosen."""
