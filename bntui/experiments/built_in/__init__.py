"""Guided experiments, one TOML file each, and the thread's published runs."""
