"""Arrays for an `.npz`, and what a reader is to make of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bntui.data.arrays import Arrays

TRAIN, TEST = 30, 12
RNG = np.random.default_rng(0)
GREY = {
    "x_train": RNG.integers(0, 256, (TRAIN, 9, 6), np.uint8),
    "y_train": np.repeat([0, 1, 2], TRAIN // 3),
    "x_test": RNG.integers(0, 256, (TEST, 9, 6), np.uint8),
    "y_test": np.repeat([0, 1, 2], TEST // 3),
}
COLOUR = GREY | {
    "x_train": RNG.integers(0, 256, (TRAIN, 9, 6, 3), np.uint8),
    "x_test": RNG.integers(0, 256, (TEST, 9, 6, 3), np.uint8),
}
Save = Callable[..., Path]


def pairs(images: np.ndarray, labels: np.ndarray) -> list[tuple[bytes, int]]:
    """Return every image with its label, in an order that says nothing."""
    return sorted(
        (image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)
    )


def assert_holds(arrays: Arrays, expected: dict[str, np.ndarray]) -> None:
    for ours, theirs in (("train", "train"), ("validation", "test")):
        images = getattr(arrays, f"{ours}_images")
        assert images.dtype == expected[f"x_{theirs}"].dtype
        assert images.shape == expected[f"x_{theirs}"].shape
        labels = expected[f"y_{theirs}"].ravel()
        assert pairs(images, getattr(arrays, f"{ours}_labels")) == pairs(
            expected[f"x_{theirs}"], labels
        )
