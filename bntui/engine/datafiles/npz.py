"""The user's own data as one `.npz` with `x_train y_train x_test y_test`, as Keras's are.

Images are (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1 or 3, labels integers (N,) or (N, 1).
Every header is judged before any content is read, and nothing is unpickled.
"""

import lzma
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bntui.engine.datafiles.arrays import (
    MAX_CLASSES,
    MIN_SIDE,
    Arrays,
    DataError,
    check_classes,
    check_memory,
    check_sides,
    check_train_size,
    mixed,
    reason,
)

NAMES = ("x_train", "y_train", "x_test", "y_test")
CHANNELS = (1, 3)
ENCRYPTED = 0x1
"""The bit of a zip member's flags."""
DAMAGE = (BadZipFile, EOFError, NotImplementedError, ValueError, lzma.LZMAError, zlib.error)
"""What zipfile and NumPy raise over content that is not what it should be."""


class Header(NamedTuple):
    """What an array is, before it is read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Layout(NamedTuple):
    """How the numbers of an array are images."""

    height: int
    width: int
    channels: int
    channels_first: bool


def read_npz(path: Path, train_size: int | None, breathe: Callable[[], None]) -> Arrays:
    """Read a data set, both splits in the order of `mixed`; the classes are 0 to the largest label.

    `breathe` is called again and again and may raise. Raises DataError.
    """
    try:
        archive = ZipFile(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    except DAMAGE as error:
        raise DataError(f"{path} is damaged or no .npz: save it again with numpy.savez.") from error
    with archive:
        headers = _headers(path, archive)
        layout = _judge(path, headers)
        train, validation = (headers[name].shape[0] for name in ("x_train", "x_test"))
        kept = check_train_size(path.name, train_size, train)
        check_memory(
            path.name,
            train=kept,
            validation=validation,
            image=layout.height * layout.width * layout.channels,
            stored=sum(math.prod(shape) * dtype.itemsize for shape, dtype in headers.values()),
        )
        x_train, y_train, x_test, y_test = (
            _content(path, archive, name, breathe) for name in NAMES
        )
    _check_labels(path, y_train, y_test)
    y_train, y_test = (labels.ravel().astype(np.int64) for labels in (y_train, y_test))
    train_order, test_order = mixed(y_train)[:kept], mixed(y_test)
    return Arrays(
        _images(path, "x_train", x_train, layout)[train_order],
        y_train[train_order],
        _images(path, "x_test", x_test, layout)[test_order],
        y_test[test_order],
        tuple(map(str, range(int(y_train.max()) + 1))),
    )


def _headers(path: Path, archive: ZipFile) -> dict[str, Header]:
    members = {info.filename: info for info in archive.infolist()}
    lacking = [name for name in NAMES if f"{name}.npy" not in members]
    if lacking:
        raise DataError(
            f"{path} lacks {', '.join(lacking)}: give an .npz with x_train, y_train, x_test and "
            "y_test."
        )
    if any(members[f"{name}.npy"].flag_bits & ENCRYPTED for name in NAMES):
        raise DataError(f"{path} is encrypted: save it again with numpy.savez.")
    return {name: _header(path, archive, name) for name in NAMES}


def _header(path: Path, archive: ZipFile, name: str) -> Header:
    try:
        with archive.open(f"{name}.npy") as file:
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read(file)
    except OSError as error:
        raise _unreadable(path, error) from error
    except Exception as error:  # NumPy parses Python here, which can fail in any way
        raise _damaged(path, name) from error
    return Header(shape, dtype)


def _judge(path: Path, headers: dict[str, Header]) -> Layout:
    """Return how the arrays are images. Raises DataError if they are none, or don't go together."""
    for name in ("x_train", "x_test"):
        _check_type(path, name, headers[name].dtype, "uif", "pixels as uint8 or float32")
    for name in ("y_train", "y_test"):
        _check_type(path, name, headers[name].dtype, "ui", "labels as integers")
    for split in ("train", "test"):
        x, y = headers[f"x_{split}"].shape, headers[f"y_{split}"].shape
        if not x or x[0] < 1:
            raise DataError(f"x_{split} in {path} holds no images: give at least one.")
        if y not in {x[:1], (x[0], 1)}:
            raise DataError(
                f"x_{split} in {path} holds {x[0]:,} images, and y_{split} has the shape {y}: "
                f"give one integer for each image, the shape ({x[0]},)."
            )
    train, test = headers["x_train"], headers["x_test"]
    layout = _layout(train.shape)
    if layout is None:
        raise DataError(
            f"x_train in {path} has the shape {train.shape}: give (N, H, W), (N, H, W, C) or "
            f"(N, C, H, W), with H and W from {MIN_SIDE} and C of 1 or 3."
        )
    check_sides(f"x_train in {path}", layout.height, layout.width)
    if _layout(test.shape) != layout or test.dtype != train.dtype:
        raise DataError(
            f"x_test in {path} is {test.dtype} {test.shape} and x_train {train.dtype} "
            f"{train.shape}: give both in one type, and images of one shape."
        )
    return layout


def _check_type(path: Path, name: str, dtype: np.dtype[Any], kinds: str, cure: str) -> None:
    if dtype.hasobject:
        raise DataError(
            f"{name} in {path} holds Python objects, and reading those could run any code: save "
            f"{cure}."
        )
    if dtype.kind not in kinds:
        raise DataError(f"{name} in {path} is of type {dtype}: save {cure}.")


def _layout(shape: tuple[int, ...]) -> Layout | None:
    """Return how `shape` is images; both layouts of channels at once would need a side of 1 or 3."""
    if len(shape) == 3:
        return Layout(*shape[1:], 1, channels_first=False)
    if len(shape) == 4:
        _, a, b, c = shape
        if c in CHANNELS and min(a, b) >= MIN_SIDE:
            return Layout(a, b, c, channels_first=False)
        if a in CHANNELS and min(b, c) >= MIN_SIDE:
            return Layout(b, c, a, channels_first=True)
    return None


class _Breathing:
    """A file that takes a breath before each piece that NumPy reads of it."""

    def __init__(self, file: IO[bytes], breathe: Callable[[], None]) -> None:
        self._file, self._breathe = file, breathe

    def read(self, size: int = -1, /) -> bytes:
        self._breathe()
        return self._file.read(size)


def _content(path: Path, archive: ZipFile, name: str, breathe: Callable[[], None]) -> NDArray[Any]:
    try:
        with archive.open(f"{name}.npy") as file:
            array: NDArray[Any] = npy.read_array(_Breathing(file, breathe), allow_pickle=False)
            more = file.read(1)  # zipfile compares the checksum when it comes to the end
    except OSError as error:
        raise _unreadable(path, error) from error
    except DAMAGE as error:
        raise _damaged(path, name) from error
    if more:
        raise _damaged(path, name)
    return array


def _check_labels(path: Path, train: NDArray[Any], test: NDArray[Any]) -> None:
    """Raise DataError for labels that are no classes, or none that occur in training."""
    for name, labels in (("y_train", train), ("y_test", test)):
        for label in (labels.min(), labels.max()):
            if not 0 <= label < MAX_CLASSES:
                raise DataError(
                    f"{name} in {path} holds the label {label}: number the classes from 0 to at "
                    f"most {MAX_CLASSES - 1}."
                )
    check_classes(f"y_train in {path}", len(np.unique(train)))
    if test.max() > train.max():
        raise DataError(
            f"y_test in {path} holds the label {test.max()}, and y_train none above {train.max()}: "
            "validate on classes that are trained."
        )


def _images(path: Path, name: str, stored: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """Return bytes as they are and other numbers as float32, in the shape of `Arrays`."""
    images = stored
    if stored.dtype != np.uint8:
        with np.errstate(over="ignore"):  # what is too large is infinite, and found here
            images = stored.astype(np.float32)
        if not np.isfinite(images).all():
            raise DataError(f"{name} in {path} holds NaN or infinity: save finite numbers.")
    if layout.channels_first:
        images = images.transpose(0, 2, 3, 1)
    return images[..., 0] if images.ndim == 4 and layout.channels == 1 else images


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path} can't be read ({reason(error)}): make it readable, or give another.")


def _damaged(path: Path, name: str) -> DataError:
    return DataError(f"{name} in {path} is damaged: save it again with numpy.savez.")
