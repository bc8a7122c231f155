"""The explorer: the main screen, its panels, and the screens that look closer at a run."""
