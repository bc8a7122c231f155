"""Writes the file of a built-in data set, for the programs that make them."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write(name: str, arrays: dict[str, NDArray[np.uint8]]) -> None:
    """Write arrays to a compressed `.npz` beside this file, and print shapes and SHA-256 of all."""
    path = Path(__file__).with_name(name)
    np.savez_compressed(path, allow_pickle=False, **arrays)
    for array_name, array in arrays.items():
        print(f"{array_name:18} {array.shape!s:14} {hashlib.sha256(array.tobytes()).hexdigest()}")
    print(f"{name:18} {path.stat().st_size:<14,} {hashlib.sha256(path.read_bytes()).hexdigest()}")
