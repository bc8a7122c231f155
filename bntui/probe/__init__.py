"""The user's own model: what is wrong with its batch norm, and the cure. Measures, and leaves all as found."""
