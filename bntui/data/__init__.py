"""Data sets: where their files are, whether the files are whole, and the tensors made of them."""
