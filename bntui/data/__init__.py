"""Data sets: where they lie, whether their files are whole, and the tensors that they become."""
