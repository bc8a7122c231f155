"""Stored runs as files for other programs."""
