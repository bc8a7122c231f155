"""The user's own images in folders, one a class: `ROOT/train/CLASS/*.png` and `ROOT/test/CLASS/*.png`.

Of `ROOT/CLASS/*.png` alone one image in five is kept for validation. All images must have one size:
bntui scales none, for that would be another data set than the user's.
"""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bntui.engine.datafiles.arrays import (
    Arrays,
    DataError,
    check_classes,
    check_memory,
    check_sides,
    check_train_size,
    depths,
    mixed,
    printable,
    reason,
)

TRAIN, TEST = "train", "test"
KEPT_FOR_TRAINING = 0.8
SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pbm", ".pgm", ".ppm"),
}
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""No others, whatever a file is called: Pillow opens some of them with other programs."""
GREY = {"1", "L", "LA", "La"}
DEEP = ("I", "F")
"""Pillow's modes of more than 8 bits, by how they begin."""
TOLD_EVERY = 500
"""Images between two words about the progress."""

if TYPE_CHECKING:  # every start of bntui imports this module, and few read a folder
    from PIL import Image

T = TypeVar("T")


class Labelled(NamedTuple):
    """Files with their labels, places in the list of classes."""

    paths: list[Path]
    labels: NDArray[np.int64]

    def at(self, places: NDArray[np.intp]) -> "Labelled":
        """Return those at `places`, in their order."""
        return Labelled([self.paths[place] for place in places], self.labels[places])


def read_folder(
    root: Path,
    train_size: int | None,
    report: Callable[[str], None],
    breathe: Callable[[], None],
) -> Arrays:
    """Read a data set, classes in the order of their names, both splits in the order of `mixed`.

    Grey images stay grey; if one has colour, all become RGB. Transparency is dropped. `report` gets
    the progress, and `breathe` is called before each image and may raise. Raises DataError.
    """
    try:
        names, train, validation, notice = _listing(root)
    except OSError as error:
        raise _unreadable(Path(error.filename or root), error) from error
    kept = check_train_size(root.name, train_size, len(train.paths))
    train = train.at(mixed(train.labels)[:kept])
    validation = validation.at(mixed(validation.labels))
    paths = [*train.paths, *validation.paths]

    def one_by_one(doing: str) -> Iterator[Path]:
        for number, path in enumerate(paths):
            if number % TOLD_EVERY == 0:
                report(f"{doing} {root.name}: {number:,} of {len(paths):,} images")
            breathe()
            yield path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, which would be written over the screen
        shape = _common_shape(one_by_one("looking at"))
        check_memory(
            root.name,
            train=kept,
            validation=len(validation.paths),
            image=math.prod(shape),
            stored=len(paths) * math.prod(shape),
        )
        images = np.empty((len(paths), *shape), np.uint8)
        for place, path in enumerate(one_by_one("reading")):
            images[place] = _with_image(path, partial(_pixels, shape=shape))
    return Arrays(images[:kept], train.labels, images[kept:], validation.labels, names, notice)


def _listing(root: Path) -> tuple[tuple[str, ...], Labelled, Labelled, str]:
    """Return the names of the classes, training and validation files, and how they were split."""
    splits = [name for name in (TRAIN, TEST) if (root / name).is_dir()]
    if len(splits) == 1:
        raise DataError(
            f"{root} holds a folder {splits[0]} and no {TEST if splits == [TRAIN] else TRAIN}: "
            f"give both, or name {root / splits[0]} to have one image in five kept for validation."
        )
    within = root / TRAIN if splits else root
    folders = _folders(within)
    check_classes(f"{within} (a folder for each)", len(folders))
    names = [folder.name for folder in folders]
    files = _files(folders, names)
    if splits:
        others = _folders(root / TEST)
        strange = [folder for folder in others if folder.name not in names]
        if strange:
            raise DataError(f"{strange[0]} is a class that {within} lacks: add it there.")
        train, validation, notice = files, _files(others, names), ""
        if not others:
            raise DataError(f"{root / TEST} holds no folders: give one for each class.")
    else:
        deep = depths(files.labels) > KEPT_FOR_TRAINING
        train, validation = files.at(np.flatnonzero(~deep)), files.at(np.flatnonzero(deep))
        notice = (
            f"{printable(root.name)} has no folders {TRAIN} and {TEST}: one image in five of each class "
            f"is kept for validation, {len(validation.paths):,} in all."
        )
        if not validation.paths:
            raise DataError(f"{root} holds too few images to keep some for validation: add some.")
    return tuple(map(printable, names)), train, validation, notice


def _folders(within: Path) -> list[Path]:
    """Return the folders `within` one, by name; the hidden ones are nobody's classes."""
    return [path for path in _visible(within) if path.is_dir()]


def _files(folders: Sequence[Path], names: Sequence[str]) -> Labelled:
    paths, labels = [], []
    for folder in folders:
        found = [path for path in _visible(folder) if path.suffix.lower() in SUFFIXES]
        if not found:
            raise DataError(
                f"{folder} holds no images ({', '.join(sorted(SUFFIXES))}): add some, or remove it."
            )
        paths += found
        labels += [names.index(folder.name)] * len(found)
    return Labelled(paths, np.array(labels, np.int64))


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _common_shape(paths: Iterable[Path]) -> tuple[int, ...]:
    """Return (H, W) if all images are grey, else (H, W, 3). Reads no more than their headers."""
    first, size, colour = None, (0, 0), False
    for path in paths:
        mode, found = _with_image(path, lambda image: (image.mode, image.size))
        if first is None:
            first, size = path, found
            check_sides(f"{path}", size[1], size[0])
        if found != size:
            raise DataError(
                f"{path} has {_times(found)} pixels and {first} {_times(size)}: scale all images to "
                "one size."
            )
        if mode.startswith(DEEP):
            raise DataError(f"{path} has more than 8 bits a pixel ({mode}): save it with 8.")
        colour = colour or mode not in GREY
    return (*size[::-1], 3) if colour else size[::-1]


def _pixels(image: "Image.Image", shape: tuple[int, ...]) -> NDArray[np.uint8]:
    pixels = np.asarray(image.convert("L" if len(shape) == 2 else "RGB"))
    if pixels.shape != shape:
        raise ValueError("it changed since it was looked at")
    return pixels


def _with_image(path: Path, use: "Callable[[Image.Image], T]") -> T:
    """Return what `use` makes of an image; whatever fails, the image is at fault."""
    from PIL import Image

    try:
        if not path.is_file():
            raise ValueError("a pipe would wait forever")
        with Image.open(path, formats=FORMATS) as image:
            return use(image)
    except Image.DecompressionBombError as error:
        raise DataError(f"{path} is far too large: scale all images to one size.") from error
    except Exception as error:  # Pillow's readers raise what they please
        if isinstance(error, OSError) and error.errno:
            raise _unreadable(path, error) from error
        raise DataError(f"{path} is damaged or no image: mend or remove it.") from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path} can't be read ({reason(error)}): make it readable, or remove it.")


def _times(size: tuple[int, int]) -> str:
    return f"{size[0]:,} × {size[1]:,}"
