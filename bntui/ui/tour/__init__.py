"""The three cards of the first start."""
