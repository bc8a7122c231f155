"""Where the data sets lie and whether their files are whole, as NumPy arrays.

Imports no torch, so that the command line can ask without waiting for it. Every file is compared
with its SHA-256 before it is used: a damaged data set would train, only to a wrong number.
"""

import gzip
import hashlib
import io
import math
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import platformdirs
from numpy.typing import NDArray

from bntui.engine.config import ConfigError

DIGITS_SHA256 = "7eadfeef8efd9baa595358d954f20f7bdd0d33e6f49a73e84ad205a149a883e4"


class DataError(ConfigError):
    """A data set can't be used; the message is one sentence that names the file and a way out."""


class Arrays(NamedTuple):
    """A data set as stored: uint8 images (N, 28, 28) with 0 for paper, uint8 labels (N,)."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    validation_images: NDArray[np.uint8]
    validation_labels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class RawFile:
    """One of MNIST's four files: a header of 4 bytes and 4 for each dimension, then the bytes."""

    name: str
    shape: tuple[int, ...]
    sha256: str
    download_size: int
    """Bytes of the .gz that the mirrors send."""

    @property
    def header(self) -> int:
        """Bytes before the first pixel or label."""
        return 4 + 4 * len(self.shape)

    @property
    def size(self) -> int:
        """Bytes of the whole file, unpacked."""
        return self.header + math.prod(self.shape)


RAW_FILES = (
    RawFile(
        "train-images-idx3-ubyte",
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        9_912_422,
    ),
    RawFile(
        "train-labels-idx1-ubyte",
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        28_881,
    ),
    RawFile(
        "t10k-images-idx3-ubyte",
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        1_648_877,
    ),
    RawFile(
        "t10k-labels-idx1-ubyte",
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        4_542,
    ),
)
"""In the order of `Arrays`."""


def given_root(data_dir: str | None) -> str | None:
    """Return the folder the user named, by option or by BNTUI_DATA: bntui never writes there."""
    return data_dir or os.environ.get("BNTUI_DATA") or None


def mnist_root(data_dir: str | None) -> Path:
    """Return the folder that holds `MNIST/raw`: the one named, else the user's data directory."""
    root = given_root(data_dir) or platformdirs.user_data_dir("bntui")
    return Path(os.path.expanduser(root))  # noqa: PTH111 - Path's raises for an unknown user


def mnist_raw(data_dir: str | None) -> Path:
    """Return the folder of the four files, in torchvision's layout."""
    return mnist_root(data_dir) / "MNIST" / "raw"


def mnist_on_disk(data_dir: str | None) -> bool:
    """Tell whether the four files exist with the right sizes, plain or .gz. Reads no content."""
    raw = mnist_raw(data_dir)
    paths = [find(raw, file) for file in RAW_FILES]
    try:
        return all(
            path is not None and unpacked_size(path) == file.size
            for path, file in zip(paths, RAW_FILES, strict=True)
        )
    except OSError:
        return False


def find(raw: Path, file: RawFile) -> Path | None:
    """Return where the file is, plain before .gz, or None where it is missing.

    One that can't be reached counts as there, so that reading it says why.
    """
    for path in (raw / file.name, raw / f"{file.name}.gz"):
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            pass
        return path
    return None


def unpacked_size(path: Path) -> int:
    """Return the content's size in bytes; of a .gz the one its last four bytes claim.

    Raises OSError.
    """
    size = path.stat().st_size
    if path.suffix != ".gz":
        return size
    with path.open("rb") as packed:
        packed.seek(max(0, size - 4))
        return int.from_bytes(packed.read(4), "little")


def read_raw(path: Path, file: RawFile) -> NDArray[np.uint8]:
    """Return the file's content in its shape, proven to be MNIST's to the last bit.

    Raises OSError where it can't be read, and ValueError saying what is wrong with the content.
    """
    size = unpacked_size(path)
    if size != file.size:
        raise ValueError(f"it holds {size:,} bytes instead of {file.size:,}")
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError("it is not a whole gzip file") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ValueError("its content is not MNIST's (wrong SHA-256)")
    # A bytearray, because torch warns about memory that can't be written.
    return np.frombuffer(bytearray(content), np.uint8, offset=file.header).reshape(file.shape)


def read_mnist(data_dir: str | None, breathe: Callable[[], None] = lambda: None) -> Arrays:
    """Read MNIST from disk: 60,000 images for training, 10,000 for validation.

    `breathe` is called before each file and may raise. Raises DataError.
    """
    raw = mnist_raw(data_dir)
    if given_root(data_dir):
        cure = (
            "name the folder above a whole MNIST/raw in --data-dir or BNTUI_DATA, "
            "or use --dataset digits (built in)."
        )
    else:
        cure = (
            "delete it and ask for --dataset mnist to download it again, "
            "or use --dataset digits (built in)."
        )
    arrays = []
    for file in RAW_FILES:
        breathe()
        path = find(raw, file)
        if path is None:
            raise DataError(_missing(data_dir, raw / file.name))
        try:
            arrays.append(read_raw(path, file))
        except OSError as error:
            raise DataError(f"{path} can't be read ({reason(error)}): {cure}") from error
        except ValueError as error:
            raise DataError(f"{path} is damaged, {error}: {cure}") from error
    return Arrays(*arrays)


def check_given(data_dir: str | None) -> None:
    """Raise DataError if the user named a folder that does not hold MNIST. Reads no content."""
    if given_root(data_dir):
        for file in RAW_FILES:
            if find(mnist_raw(data_dir), file) is None:
                raise DataError(_missing(data_dir, mnist_raw(data_dir) / file.name))


def read_digits() -> Arrays:
    """Read the built-in digits: 4,000 images for training, 1,000 for validation.

    Raises DataError.
    """
    source = resources.files("bntui.datasets") / "digits.npz"
    try:
        content = source.read_bytes()
    except OSError as error:
        raise DataError(
            f"{source} can't be read ({reason(error)}): install bntui again."
        ) from error
    if hashlib.sha256(content).hexdigest() != DIGITS_SHA256:
        raise DataError(f"{source} is damaged (wrong SHA-256): install bntui again.")
    with np.load(io.BytesIO(content)) as stored:
        return Arrays(*(stored[name] for name in Arrays._fields))


def reason(error: Exception) -> str:
    """Return an exception's own words without numbers and brackets; URLError wraps another."""
    inner = getattr(error, "reason", error)
    words = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return str(words).rstrip(".")


def _missing(data_dir: str | None, path: Path) -> str:
    root = mnist_root(data_dir)
    if root.is_dir():
        fault = f"MNIST is not in {root}, {path} is missing"
    else:
        fault = f"the data folder {root} {'is not a folder' if root.exists() else 'does not exist'}"
    return (
        f"{fault}: name a folder that holds MNIST/raw as torchvision lays it out, "
        "or use --dataset digits (built in)."
    )
