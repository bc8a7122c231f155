"""Sweeps as files for other programs."""
