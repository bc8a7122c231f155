"""The user's own images, a folder for each class: `ROOT/train/CLASS/*.png` and `ROOT/test/CLASS/*.png`.

If there is only `ROOT/CLASS/*.png`, one image in five is kept for validation. All images must have
one size: bntui scales none, because a scaled data set is not the user's.
"""

import logging
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bntui.core import file_kinds
from bntui.core.regular_file import open_regular
from bntui.core.text import printable, reason
from bntui.data.arrays import Arrays, DataError, check_memory, check_sides, check_train_size, mixed
from bntui.data.image_files import listing

FORMATS = tuple(file_kinds.IMAGES)
"""The formats that Pillow may try: for some others it starts another program, such as Ghostscript."""
GREY = {"1", "L", "LA"}
COLOURS = {"P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"}
SIDEWAYS = {5, 6, 7, 8}
"""EXIF's orientations that exchange width and height."""
EXIF = {"exif", "Raw profile type exif"}
"""What Pillow calls the EXIF data in a PNG's header."""
DEEP = ("I", "F")
"""Pillow's modes of more than 8 bits, by how they begin."""
SILENT = logging.NullHandler()
TOLD_EVERY = 500
"""Images between two reports of the progress."""

if TYPE_CHECKING:  # Pillow is imported only where a folder is read: every start imports this module
    from PIL import Image

T = TypeVar("T")


class Look(NamedTuple):
    """What an image's header says."""

    mode: str
    """Pillow's name for the kind of its pixels."""
    size: tuple[int, int]
    """Width and height as a viewer shows the image, turned as EXIF says."""
    frames: bool
    """Whether the file holds several pictures."""


class Common(NamedTuple):
    """What the headers of all images together say."""

    shape: tuple[int, ...]
    """(H, W) if all are grey, else (H, W, 3)."""
    animated: list[Path]
    """The files with several pictures."""


def read_folder(
    root: Path,
    train_size: int | None,
    report: Callable[[str], None],
    check_stop: Callable[[], None],
) -> Arrays:
    """Read a data set, classes in the order of their names, both splits in the order of `mixed`.

    Grey images stay grey; if one has colour, all become RGB. `report` gets the progress, and
    `check_stop` is called before each folder and each image and may raise. Raises DataError.
    """
    try:
        names, train, validation, notice = listing(root, check_stop)
    except OSError as error:
        raise _unreadable(Path(error.filename or root), error) from error
    kept = check_train_size(root.name, train_size, len(train.paths))
    train = train.at(mixed(train.labels)[:kept])
    validation = validation.at(mixed(validation.labels))
    paths = [*train.paths, *validation.paths]

    def one_by_one(doing: str) -> Iterator[Path]:
        for number, path in enumerate(paths):
            if number % TOLD_EVERY == 0:
                report(f"{doing} {printable(root.name)}: {number:,} of {len(paths):,} images")
            check_stop()
            yield path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's warnings would be written over the screen,
        logging.getLogger("PIL").addHandler(SILENT)  # and so would its log
        shape, animated = _in_common(one_by_one("looking at"))
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
    if animated:
        notice += (
            f" Of {len(animated):,} images with several pictures, such as "
            f"{printable(animated[0].name)}, the first is taken."
        )
    return Arrays(
        images[:kept], train.labels, images[kept:], validation.labels, names, notice.strip()
    )


def _in_common(paths: Iterable[Path]) -> Common:
    """Return what all images have in common. Reads no more than their headers."""
    first, size, colour, animated = None, (0, 0), False, []
    for path in paths:
        look = _with_image(path, _look)
        if first is None:
            first, size = path, look.size
            check_sides(f"{path}", size[1], size[0])
        if look.size != size:
            raise DataError(
                f"{path} has {_times(look.size)} pixels and {first} {_times(size)}: scale all images "
                "to one size."
            )
        if look.mode.startswith(DEEP):
            raise DataError(f"{path} has more than 8 bits a pixel ({look.mode}): save it with 8.")
        if look.mode not in GREY | COLOURS:
            raise DataError(f"{path} has pixels of the kind {look.mode}: save it as RGB.")
        colour = colour or look.mode not in GREY
        if look.frames:
            animated.append(path)
    return Common((*size[::-1], 3) if colour else size[::-1], animated)


def _look(image: "Image.Image") -> Look:
    from PIL import ExifTags

    # If a PNG has no EXIF data in its header, getexif would decode the whole image to look for some.
    exif = image.getexif() if image.format != "PNG" or EXIF & image.info.keys() else {}
    size = image.size
    if image.format == "TIFF":  # for which some versions of Pillow have turned image.size already
        size = exif[ExifTags.Base.ImageWidth], exif[ExifTags.Base.ImageLength]
    if exif.get(ExifTags.Base.Orientation) in SIDEWAYS:
        size = size[::-1]
    return Look(image.mode, size, getattr(image, "is_animated", False))


def _pixels(image: "Image.Image", shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return an image as a viewer shows it: turned as EXIF says, on a white background."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    pixels = np.asarray(image.convert("L" if len(shape) == 2 else "RGB"))
    if pixels.shape != shape:
        raise ValueError("it changed since it was looked at")
    return pixels


def _with_image(path: Path, use: "Callable[[Image.Image], T]") -> T:
    """Return `use(image)` of the image at `path`. Raises DataError, whatever Pillow raises."""
    from PIL import Image

    try:
        with open_regular(path) as file, Image.open(file, formats=FORMATS) as image:
            return use(image)
    except Image.DecompressionBombError as error:
        raise DataError(f"{path} is far too large: scale all images to one size.") from error
    except Exception as error:  # Pillow's readers raise many kinds over a damaged file
        if isinstance(error, OSError) and error.errno:
            raise _unreadable(path, error) from error
        what = file_kinds.known_at(path)
        found = f" ({what})" if what and "image" not in what else ""
        raise DataError(f"{path} is damaged or no image{found}: mend or remove it.") from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path} can't be read ({reason(error)}): make it readable, or remove it.")


def _times(size: tuple[int, int]) -> str:
    return f"{size[0]:,} × {size[1]:,}"
