"""The screens that lead through the guided experiments."""
