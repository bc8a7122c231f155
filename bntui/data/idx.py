"""MNIST, Fashion-MNIST and KMNIST: four files each in the IDX format, with the same four shapes.

A file has a header of 4 bytes and 4 more for each dimension, then the pixels or labels. Whether it is
packed with gzip is decided by its content: some browsers unpack a .gz and keep its name.
"""

import gzip
import hashlib
import math
import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bntui.core import file_kinds
from bntui.core.regular_file import open_regular
from bntui.data.arrays import Arrays
from bntui.data.download import ArchiveFile
from bntui.data.published import Published
from bntui.machine import libraries

GZIP = b"\x1f\x8b"
"""The first bytes of a packed file."""
UNSIGNED_BYTES = 0x08
CLASSES = 10
SHAPES = (
    ("train-images-idx3-ubyte", (60_000, 28, 28)),
    ("train-labels-idx1-ubyte", (60_000,)),
    ("t10k-images-idx3-ubyte", (10_000, 28, 28)),
    ("t10k-labels-idx1-ubyte", (10_000,)),
)


@dataclass(frozen=True, slots=True)
class IdxFile:
    """What one file must hold."""

    name: str
    shape: tuple[int, ...]
    download_size: int
    """Bytes of the .gz on the mirrors."""
    sha256: str = ""
    """Of the unpacked file; where it is empty, only size, header and labels are checked."""

    @property
    def header(self) -> bytes:
        """The bytes before the first pixel or label: type, number of dimensions, each dimension."""
        numbers = (UNSIGNED_BYTES << 8 | len(self.shape), *self.shape)
        return b"".join(number.to_bytes(4, "big") for number in numbers)

    @property
    def size(self) -> int:
        """Bytes of the whole file, unpacked."""
        return len(self.header) + math.prod(self.shape)


@dataclass(frozen=True)
class Idx(Published):
    """A data set in four IDX files."""

    torchvision: str
    """The name of torchvision's class, which lists the mirrors and the MD5 of each .gz."""
    contents: tuple[IdxFile, ...]
    """Training images and labels, then validation images and labels."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files' names."""
        return tuple(file.name for file in self.contents)

    def places(self, place: Path, file: str) -> tuple[Path, ...]:
        """Return where `file` may be, under its own name or another spelling.

        train-images.idx3-ubyte is a common one, and some programs unpack a file into a folder that
        has the file's name.
        """
        exact = (place / file, place / f"{file}.gz")
        try:
            there = [path for path in sorted(place.iterdir()) if _same(path.name, file)]
            there += [path for folder in there if folder.is_dir() for path in folder.iterdir()]
            others = [path for path in there if _same(path.name, file) and path.is_file()]
        except OSError:  # reading the file itself will report why
            others = []
        return (*(path for path in exact if path in others), *others, *exact)

    def on_disk(self, data_dir: str | None) -> bool:
        """Tell whether all files exist with the right sizes. Reads no content."""
        paths = [self.find(self.place(data_dir), file) for file in self.files]
        try:
            return all(
                path is not None and unpacked_size(path) == file.size
                for path, file in zip(paths, self.contents, strict=True)
            )
        except OSError:
            return False

    def parse(self, path: Path, file: str) -> NDArray[np.uint8]:
        """Return the images or labels in `path`: uint8, in the shape of `contents`. Raises OSError, ValueError."""
        expected = self.contents[self.files.index(file)]
        with open_regular(path) as stored:
            start = stored.read(file_kinds.HEAD)
            what = file_kinds.known(start)
            packed = start.startswith(GZIP)
            if start and what and not packed and "IDX" not in what:
                raise ValueError(f"is {what} and not {self.title}'s")
            size = _size(stored, packed=packed)
            if size != expected.size:
                raise ValueError(
                    f"is damaged, it holds {size:,} bytes instead of {expected.size:,}"
                )
            stored.seek(0)
            try:  # reads no more than is expected: 1 MB of gzip can hold 1 GB of zeros
                content = (gzip.GzipFile(fileobj=stored) if packed else stored).read(size + 1)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise ValueError("is damaged, it is not a whole gzip file") from error
        if expected.sha256 and hashlib.sha256(content).hexdigest() != expected.sha256:
            raise ValueError(f"is damaged, its content is not {self.title}'s (wrong SHA-256)")
        header = expected.header
        if len(content) != expected.size or not content.startswith(header):
            raise ValueError(f"is damaged, its header is not {self.title}'s")
        # A bytearray can be written: of memory that can't be, torch warns.
        values = np.frombuffer(bytearray(content), np.uint8, offset=len(header))
        if len(expected.shape) == 1 and values.max() >= CLASSES:
            raise ValueError(
                f"is damaged, it holds the label {values.max()}, of 0 to {CLASSES - 1}"
            )
        return values.reshape(expected.shape)

    def assemble(self, contents: Sequence[NDArray[np.uint8]]) -> Arrays:
        """Put together what `parse` returned of each file."""
        train_images, train_labels, validation_images, validation_labels = contents
        return Arrays(
            train_images, train_labels, validation_images, validation_labels, self.class_names
        )

    def archives(self, missing: Sequence[str]) -> list[ArchiveFile]:
        """Return what to download for the `missing` files: a .gz for each. Imports torchvision."""
        with libraries.loading("torchvision"):
            from torchvision import datasets

        known = getattr(datasets, self.torchvision)
        checksums = dict(known.resources)
        return [
            ArchiveFile(
                f"{file.name}.gz", checksums[f"{file.name}.gz"], file.download_size, known.mirrors
            )
            for file in self.contents
            if file.name in missing
        ]


def unpacked_size(path: Path) -> int:
    """Return the size of the unpacked content in bytes. Raises OSError.

    For a packed file that is what its last four bytes claim.
    """
    with open_regular(path) as stored:
        return _size(stored, packed=stored.read(len(GZIP)) == GZIP)


def _size(stored: BinaryIO, *, packed: bool) -> int:
    size = stored.seek(0, os.SEEK_END)
    if packed:
        stored.seek(max(0, size - 4))
        return int.from_bytes(stored.read(4), "little")
    return size


def _same(name: str, file: str) -> bool:
    """Tell whether a name is a spelling of `file`, packed or not."""
    return re.sub("[-._ ]", "-", name.lower()).removesuffix("-gz") == file


def _files(
    download_sizes: Sequence[int], checksums: Sequence[str] = ("",) * 4
) -> tuple[IdxFile, ...]:
    return tuple(
        IdxFile(*shaped, size, checksum)
        for shaped, size, checksum in zip(SHAPES, download_sizes, checksums, strict=True)
    )


MNIST = Idx(
    name="mnist",
    title="MNIST",
    folder="MNIST/raw",
    class_names=tuple("0123456789"),
    torchvision="MNIST",
    contents=_files(
        (9_912_422, 28_881, 1_648_877, 4_542),
        (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
)
FASHION_MNIST = Idx(
    name="fashion-mnist",
    title="Fashion-MNIST",
    folder="FashionMNIST/raw",
    class_names=(
        *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
    torchvision="FashionMNIST",
    contents=_files((26_421_880, 29_515, 4_422_102, 5_148)),
)
KMNIST = Idx(
    name="kmnist",
    title="KMNIST",
    folder="KMNIST/raw",
    class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    torchvision="KMNIST",
    contents=_files((18_165_135, 29_497, 3_041_136, 5_120)),
)
