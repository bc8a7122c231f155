"""The screen: Textual, and never torch."""
