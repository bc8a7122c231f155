"""A data set as arrays, and the limits that every data set must keep."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from bntui.core.text import ConfigError, printable

MIN_SIDE, MAX_SIDE = 4, 256
"""Pixels: two 2×2 pools leave nothing of a smaller image; a larger one takes minutes an update on a CPU."""
MAX_CLASSES = 1000
EXAMINED_AT_ONCE = 1000
"""Images that are examined at a time."""
MEMORY_SHARE = 0.5
"""The largest share of free memory that a data set may take: training needs the rest."""


class DataError(ConfigError):
    """A data set can't be used; the message is one sentence that names the file and a way out."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """A data set as stored. Images are uint8 or float32, (N, H, W) grey or (N, H, W, 3) in colour."""

    train_images: NDArray[Any]
    train_labels: NDArray[Any]
    """Integers (N,), places in `class_names`."""
    validation_images: NDArray[Any]
    validation_labels: NDArray[Any]
    class_names: tuple[str, ...]
    notice: str = ""
    """What the reader decided and the user should know, in sentences; empty for nothing."""


def check_train_size(name: str, train_size: int | None, limit: int) -> int:
    """Return how many of `limit` training images to use. Raises ConfigError."""
    if train_size is not None and not 1 <= train_size <= limit:
        raise ConfigError(
            f"train size {train_size:,} is out of range: {name} has {limit:,} training images, "
            f"give 1 to {limit:,}."
        )
    return limit if train_size is None else train_size


def check_sides(name: str, height: int, width: int) -> None:
    """Raise DataError for images that the network can't take."""
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in (height, width)):
        raise DataError(
            f"the images of {name} have {width:,} × {height:,} pixels (width × height): "
            f"scale them to {MIN_SIDE} to {MAX_SIDE} each way."
        )


def check_memory(name: str, *, train: int, validation: int, image: int, stored: int = 0) -> None:
    """Raise DataError if a data set is too large for the memory that is free.

    It takes float32 for `train` and `validation` images of `image` numbers each, and the `stored`
    bytes that are read first. Call it before anything is read: a small file can claim to be a huge one.
    """
    free = psutil.virtual_memory().available
    limit, of_an_image = MEMORY_SHARE * free, 4 * image
    if stored + (train + validation) * of_an_image <= limit:
        return
    fits = int((limit - stored) / of_an_image) - validation
    cure = f"give --train-size {fits}" if fits > 0 else "make the images fewer or smaller"
    needed = stored + (train + validation) * of_an_image
    raise DataError(
        f"{name} takes {needed / 1e9:,.1f} GB of memory, more than half of the {free / 1e9:,.1f} "
        f"GB that are free: {cure}."
    )


def check_classes(name: str, count: int) -> None:
    """Raise DataError for fewer than 2 classes or more than `MAX_CLASSES`."""
    if not 2 <= count <= MAX_CLASSES:
        raise DataError(
            f"{name} has {count:,} class{'' if count == 1 else 'es'}: give 2 to {MAX_CLASSES:,}."
        )


def blank_classes(arrays: Arrays) -> str:
    """Return a sentence that names the classes whose training images are all blank.

    Empty if no class is so, or every class is.
    """
    shown = np.zeros(len(arrays.class_names), bool)
    for start in range(0, len(arrays.train_images), EXAMINED_AT_ONCE):
        images = arrays.train_images[start : start + EXAMINED_AT_ONCE].reshape(
            -1, arrays.train_images[0].size
        )
        labels = arrays.train_labels[start : start + EXAMINED_AT_ONCE]
        shown[labels[(images != images[:, :1]).any(axis=1)]] = True
    if shown.all() or not shown.any():
        return ""
    names = [name for name, one in zip(arrays.class_names, shown, strict=True) if not one]
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return f"All training images of the class {names[0]}{more} are blank."


def depths(labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return each image's rank within its class, scaled to 0…1, in a random order with a fixed seed.

    Sorted by it, classes are mixed, and the first n images hold each class in its proportion, for
    any n: files often come class by class, and a run validates on the first 1,000.
    """
    rng = np.random.default_rng(0)
    result = np.empty(len(labels))
    for label in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == label))
        result[places] = (np.arange(len(places)) + 0.5) / len(places)
    return result


def mixed(labels: NDArray[Any]) -> NDArray[np.intp]:
    """Return the order of `depths`, as places in `labels`."""
    return np.argsort(depths(labels), kind="stable")
