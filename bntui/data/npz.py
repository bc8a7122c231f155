"""The user's own data as one `.npz` with `x_train y_train x_test y_test`, the names of Keras's files.

Images are (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1 or 3, or the same with N as the last
axis; labels are integers (N,) or (N, 1). All headers are checked before any content is read, and
nothing is unpickled.
"""

import io
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bntui.core import file_kinds
from bntui.core.regular_file import open_regular
from bntui.core.text import printable, reason
from bntui.data.arrays import (
    MAX_CLASSES,
    MIN_SIDE,
    Arrays,
    DataError,
    check_classes,
    check_memory,
    check_sides,
    check_train_size,
    mixed,
)

NAMES = ("x_train", "y_train", "x_test", "y_test")
CHANNEL_COUNTS = (1, 3)
HEADER = 16_384
"""Bytes of an array's header that are read: NumPy's end at 10,000, but a file can claim 4 GB."""
LONGEST_AXIS = 2**62
"""No array has so long an axis; a header can claim one too long even to be printed."""
SCALE = 10.0
"""The largest ratio between the largest absolute pixel values of the two splits."""
SHOWN = 8
"""Names or labels that a message lists."""
ENCRYPTED = 0x1
"""The bit in a zip member's flags that says that it is encrypted."""
DAMAGE = (BadZipFile, EOFError, NotImplementedError, ValueError, zlib.error)
"""What zipfile and NumPy raise over damaged content."""


class Header(NamedTuple):
    """The shape and type of an array that is not read yet."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Layout(NamedTuple):
    """Which axis of an array is what, and how long each is."""

    height: int
    width: int
    channels: int
    channels_first: bool
    images_last: bool


def read_npz(path: Path, train_size: int | None, check_stop: Callable[[], None]) -> Arrays:
    """Read a data set, both splits in the order of `mixed`; the classes are the labels in training.

    `check_stop` is called before each piece that is read and may raise. Raises DataError.
    """
    try:
        file = open_regular(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        try:
            archive = ZipFile(file)
        except OSError as error:
            raise _unreadable(path, error) from error
        except DAMAGE as error:
            what = file_kinds.known_at(path)
            found = f" ({what})" if what else ""
            raise DataError(
                f"{path} is damaged or no .npz{found}: save it again with numpy.savez."
            ) from error
        with archive:
            return _read(path, archive, train_size, check_stop)


def _read(
    path: Path, archive: ZipFile, train_size: int | None, check_stop: Callable[[], None]
) -> Arrays:
    members = _members(path, archive)
    headers = {name: _header(path, archive, name, members[name]) for name in NAMES}
    layout = _judge(path, headers)
    train, validation = (_count(headers[name].shape) for name in ("y_train", "y_test"))
    kept = check_train_size(path.name, train_size, train)
    check_memory(
        path.name,
        train=kept,
        validation=validation,
        image=layout.height * layout.width * layout.channels,
        stored=sum(math.prod(shape) * dtype.itemsize for shape, dtype in headers.values()),
    )
    x_train, y_train, x_test, y_test = (
        _content(path, archive, name, members[name], check_stop) for name in NAMES
    )
    classes, remarks = _classes(path, y_train.ravel(), y_test.ravel())
    y_train, y_test = (np.searchsorted(classes, labels.ravel()) for labels in (y_train, y_test))
    train_order, test_order = mixed(y_train)[:kept], mixed(y_test)
    x_train, x_test = (
        _images(path, name, stored, layout)
        for name, stored in (("x_train", x_train), ("x_test", x_test))
    )
    _check_scale(path, x_train, x_test)
    if layout.images_last:
        remarks.insert(0, f"The images of {printable(path.name)} are along the last axis.")
    return Arrays(
        x_train[train_order],
        y_train[train_order],
        x_test[test_order],
        y_test[test_order],
        tuple(map(str, classes)),
        " ".join(remarks),
    )


def _members(path: Path, archive: ZipFile) -> dict[str, ZipInfo]:
    """Return the four arrays' entries in the archive; capitals do not matter. Raises DataError."""
    arrays = {
        info.filename.removesuffix(".npy"): info
        for info in archive.infolist()
        if info.filename.endswith(".npy")
    }
    small = {name.lower(): info for name, info in reversed(arrays.items())}
    found = {name: arrays.get(name) or small.get(name) for name in NAMES}
    members = {name: info for name, info in found.items() if info}
    lacking = [name for name in NAMES if name not in members]
    if lacking:
        others = list(arrays) or archive.namelist()
        more = ", …" if len(others) > SHOWN else ""
        there = f"holds {', '.join(name[:40] for name in others[:SHOWN])}{more}"
        raise DataError(
            f"{path} lacks {', '.join(lacking)} and {there if others else 'is empty'}: give an .npz "
            "with x_train, y_train, x_test and y_test."
        )
    if any(info.flag_bits & ENCRYPTED for info in members.values()):
        raise DataError(f"{path} is encrypted: save it again with numpy.savez.")
    if any(info.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for info in members.values()):
        raise DataError(f"{path} is packed as NumPy packs nothing: save it again with numpy.savez.")
    return members


def _header(path: Path, archive: ZipFile, name: str, member: ZipInfo) -> Header:
    try:
        with archive.open(member) as file:
            start = io.BytesIO(file.read(HEADER))
        version = npy.read_magic(start)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(start)
    except OSError as error:
        raise _unreadable(path, error) from error
    except Exception as error:  # NumPy parses Python here, which can fail in any way
        raise _damaged(path, name) from error
    if not all(0 <= side < LONGEST_AXIS for side in shape):
        raise _damaged(path, name)
    return Header(shape, dtype)


def _judge(path: Path, headers: dict[str, Header]) -> Layout:
    """Return the layout of the images.

    Raises DataError if the four arrays are no images and labels, or do not match.
    """
    for name in ("x_train", "x_test"):
        _check_type(path, name, headers[name].dtype, "uif", "pixels as uint8 or float32")
    for name in ("y_train", "y_test"):
        _check_type(path, name, headers[name].dtype, "ui", "labels as integers")
    for split in ("train", "test"):
        x, y = headers[f"x_{split}"].shape, headers[f"y_{split}"].shape
        if 0 in x[:1] or not x:
            raise DataError(f"x_{split} in {path} holds no images: give at least one.")
        if len(y) == 2 and 1 not in y and y[0] in (x[0], x[-1]):
            raise DataError(
                f"y_{split} in {path} has the shape {y}, which looks one-hot: save its argmax(axis=1), "
                "one integer for each image."
            )
        if _count(y) not in (x[0], x[-1]):
            raise DataError(
                f"x_{split} in {path} holds {x[0]:,} images, and y_{split} has the shape {y}: "
                f"give one integer for each image, the shape ({x[0]},)."
            )
    train, test = headers["x_train"], headers["x_test"]
    last = _count(headers["y_train"].shape) != train.shape[0]
    layout = _layout(train.shape, images_last=last)
    if layout is None:
        raise DataError(
            f"x_train in {path} has the shape {train.shape}: give (N, H, W), (N, H, W, C) or "
            f"(N, C, H, W), with H and W from {MIN_SIDE} and C of 1 or 3{_as_square(train.shape)}."
        )
    check_sides(f"x_train in {path}", layout.height, layout.width)
    also_last = _count(headers["y_test"].shape) != test.shape[0]
    if _layout(test.shape, images_last=also_last) != layout or test.dtype != train.dtype:
        raise DataError(
            f"x_test in {path} is {test.dtype} {test.shape} and x_train {train.dtype} "
            f"{train.shape}: give both in one type, and images of one shape."
        )
    return layout


def _count(labels: tuple[int, ...]) -> int:
    """Return N for labels of the shape (N,), (N, 1) or (1, N), and −1 for another shape."""
    count = max(labels, default=-1)
    return count if math.prod(labels) == count else -1


def _as_square(shape: tuple[int, ...]) -> str:
    """Return how images that were flattened to (N, H·H) can be saved instead; empty for others."""
    side = math.isqrt(shape[1]) if len(shape) == 2 else 0
    square = side >= MIN_SIDE and side * side == shape[1]
    return f", such as x_train.reshape(-1, {side}, {side})" if square else ""


def _check_type(path: Path, name: str, dtype: np.dtype[Any], kinds: str, cure: str) -> None:
    if dtype.hasobject:
        raise DataError(
            f"{name} in {path} holds Python objects, and reading those could run any code: save "
            f"{cure}."
        )
    if dtype.kind not in kinds:
        raise DataError(f"{name} in {path} is of type {str(dtype)[:60]}: save {cure}.")


def _layout(shape: tuple[int, ...], *, images_last: bool) -> Layout | None:
    """Return the layout of images of `shape`, or None if there is none.

    There is never more than one: that would need a side of 1 or 3 pixels.
    """
    image = shape[:-1] if images_last else shape[1:]
    if len(image) == 2:
        return Layout(*image, 1, channels_first=False, images_last=images_last)
    if len(image) == 3:
        a, b, c = image
        if c in CHANNEL_COUNTS and min(a, b) >= MIN_SIDE:
            return Layout(a, b, c, channels_first=False, images_last=images_last)
        if a in CHANNEL_COUNTS and min(b, c) >= MIN_SIDE:
            return Layout(b, c, a, channels_first=True, images_last=images_last)
    return None


class _Stoppable:
    """A file that calls `check_stop` before each piece that NumPy reads of it."""

    def __init__(self, file: IO[bytes], check_stop: Callable[[], None]) -> None:
        self._file, self._check_stop = file, check_stop

    def read(self, size: int = -1, /) -> bytes:
        self._check_stop()
        return self._file.read(size)


def _content(
    path: Path, archive: ZipFile, name: str, member: ZipInfo, check_stop: Callable[[], None]
) -> NDArray[Any]:
    try:
        with archive.open(member) as file:
            array: NDArray[Any] = npy.read_array(_Stoppable(file, check_stop), allow_pickle=False)
            more = file.read(1)  # zipfile checks the CRC once the end is read
    except OSError as error:
        raise _unreadable(path, error) from error
    except DAMAGE as error:
        raise _damaged(path, name) from error
    if more:
        raise _damaged(path, name)
    return array


def _classes(path: Path, train: NDArray[Any], test: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Return the distinct training labels, ascending, and sentences about them for the user.

    Raises DataError for labels that are no classes, or validation labels that training lacks.
    """
    for name, labels in (("y_train", train), ("y_test", test)):
        for label in (labels.min(), labels.max()):
            if not 0 <= label < MAX_CLASSES:
                raise DataError(
                    f"{name} in {path} holds the label {label}: number the classes from 0 to at "
                    f"most {MAX_CLASSES - 1}."
                )
    train, test = np.unique(train).astype(np.int64), np.unique(test).astype(np.int64)
    check_classes(f"y_train in {path}", len(train))
    strange = np.setdiff1d(test, train)
    if len(strange):
        raise DataError(
            f"y_test in {path} holds the label {_ranges(strange)}, and y_train only "
            f"{_ranges(train)}: validate on classes that are trained."
        )
    remarks = []
    name = printable(path.name)
    if train[-1] >= len(train):
        remarks.append(f"The labels of {name} are {_ranges(train)}: {len(train)} classes.")
    if len(lacking := np.setdiff1d(train, test)):
        remarks.append(f"No image of {name} validates the class {_ranges(lacking)}.")
    return train, remarks


def _ranges(labels: NDArray[np.int64]) -> str:
    """Return ascending labels as "1 to 10" or "0, 2 to 4, 9"."""
    parts = np.split(labels, np.flatnonzero(np.diff(labels) > 1) + 1)
    words = [f"{part[0]} to {part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts]
    return ", ".join(words[:SHOWN]) + (", …" if len(words) > SHOWN else "")


def _check_scale(path: Path, train: NDArray[Any], test: NDArray[Any]) -> None:
    """Raise DataError where one split was scaled, such as to 0…1, and the other was not."""
    reach, other = (max(float(x.max()), -float(x.min())) for x in (train, test))
    if min(reach, other) > 0 and not 1 / SCALE < reach / other < SCALE:
        raise DataError(
            f"the pixels of x_train in {path} reach {reach:g} and those of x_test {other:g}: scale "
            "both alike."
        )


def _images(path: Path, name: str, stored: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """Return images as uint8 if they are, else as float32, in the axes of `Arrays`. Raises DataError."""
    images = stored
    if stored.dtype != np.uint8:
        with np.errstate(over="ignore"):  # what is too large becomes infinite: refused below
            images = stored.astype(np.float32)
        if not np.isfinite(images).all():
            raise DataError(f"{name} in {path} holds NaN or infinity: save finite numbers.")
    if layout.images_last:
        images = np.moveaxis(images, -1, 0)
    if layout.channels_first:
        images = images.transpose(0, 2, 3, 1)
    return images[..., 0] if images.ndim == 4 and layout.channels == 1 else images


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path} can't be read ({reason(error)}): make it readable, or give another.")


def _damaged(path: Path, name: str) -> DataError:
    return DataError(f"{name} in {path} is damaged: save it again with numpy.savez.")
