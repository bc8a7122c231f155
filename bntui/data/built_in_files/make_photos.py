"""Make `photos.npz`, the second built-in data set, from ten photographs that scikit-image carries.

    python -m bntui.data.built_in_files.make_photos

Needs `pip install scikit-image`; bntui itself doesn't. An image is a patch of a photograph, its
label says of which. Training and validation patches come from different blocks of the
photographs, so they share no pixel. The compressed bytes may vary with another zlib: then put the
printed SHA-256 into `bntui/data/built_in.py`.
"""

import numpy as np
from numpy.typing import NDArray

from bntui.data.built_in_files.write_npz import write

PHOTOGRAPHS = (
    *("astronaut", "brick", "camera", "chelsea", "coffee"),
    *("grass", "gravel", "hubble_deep_field", "retina", "rocket"),
)
SEED = 0
BLOCK, PATCH = 64, 28
"""Sides in pixels."""
FLAT = 6.0
"""Blocks with a smaller standard deviation show nothing, such as the black around the retina."""
TRAIN, VALIDATION = 400, 100
"""Patches of each photograph."""
GREYS = 16
"""Shades of grey: photographs compress badly, and with 256 of them the file would take 3.5 MB."""


def make() -> dict[str, NDArray[np.uint8]]:
    """Cut the patches.

    Returns `train_images` (4000, 28, 28), `train_labels` (4000,), `validation_images`
    (1000, 28, 28) and `validation_labels` (1000,), all uint8; pixels are 0 (black) to 255 (white).
    """
    rng = np.random.default_rng(SEED)
    patches: dict[str, list[NDArray[np.uint8]]] = {"train": [], "validation": []}
    for name in PHOTOGRAPHS:
        photograph = _grey(name)
        blocks = _blocks(photograph)
        blocks = [blocks[place] for place in rng.permutation(len(blocks))]
        held_out = len(blocks) // 5
        for part, of, count in (
            ("validation", blocks[:held_out], VALIDATION),
            ("train", blocks[held_out:], TRAIN),
        ):
            for number in range(count):
                block = of[number % len(of)]
                y, x = rng.integers(0, BLOCK - PATCH + 1, 2)
                patches[part].append(block[y : y + PATCH, x : x + PATCH])

    arrays = {}
    for part, images in patches.items():
        labels = np.repeat(np.arange(len(PHOTOGRAPHS), dtype=np.uint8), len(images) // 10)
        order = rng.permutation(len(images))
        arrays[f"{part}_images"] = np.stack(images)[order]
        arrays[f"{part}_labels"] = labels[order]
    return arrays


def _grey(name: str) -> NDArray[np.uint8]:
    """Return a photograph of scikit-image as greys in steps of 17, 0 to 255."""
    from skimage import color, data

    photograph = getattr(data, name)()
    if photograph.ndim == 3:
        photograph = color.rgb2gray(photograph[..., :3]) * 255
    steps = np.floor(photograph.astype(float) * GREYS / 256)
    return np.asarray(steps * (255 // (GREYS - 1)), np.uint8)


def _blocks(photograph: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return the blocks of a photograph that are not flat."""
    height, width = photograph.shape
    blocks = [
        photograph[y : y + BLOCK, x : x + BLOCK]
        for y in range(0, height - BLOCK + 1, BLOCK)
        for x in range(0, width - BLOCK + 1, BLOCK)
    ]
    return [block for block in blocks if block.std() >= FLAT]


if __name__ == "__main__":
    write("photos.npz", make())
