"""Keeps every run in one SQLite file. Imports no torch (but to write TensorBoard's files), no screen."""
