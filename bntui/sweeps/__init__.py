"""Sweeps: which cells there are, what runs them, on one machine or many, and the diagram they fill."""
