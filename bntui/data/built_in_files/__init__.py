"""The built-in digits (`digits.npz`), the script that made them, and where they come from."""
