"""Folders of images for each class, and what is in them."""

from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 9, 6
CLASSES = ("cat", "dog", "emu")
COLOURS = {"cat": (200, 10, 30), "dog": (10, 190, 60), "emu": (40, 20, 210)}


def fill(
    folder: Path,
    classes: tuple[str, ...] = CLASSES,
    count: int = 10,
    mode: str = "L",
    suffix: str = ".png",
) -> Path:
    """Put `count` images of one mode into a folder for each class."""
    rng = np.random.default_rng(len(str(folder.name)))
    for name in classes:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            shape = (HEIGHT, WIDTH, 3) if mode == "RGB" else (HEIGHT, WIDTH)
            pixels = rng.integers(0, 256, shape, np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number:03}{suffix}")
    return folder


def stored(split: Path) -> list[tuple[bytes, int]]:
    """Return every image's pixels with the place of its folder, in an order that says nothing."""
    return sorted(
        (np.asarray(Image.open(path)).tobytes(), CLASSES.index(path.parent.name))
        for path in split.rglob("*.png")
    )


def given(images: np.ndarray, labels: np.ndarray) -> list[tuple[bytes, int]]:
    return sorted(
        (image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)
    )
