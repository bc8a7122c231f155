"""Data sets as tensors on the device, standardised once.

The whole set stays in memory and a batch is an index into it. What lies on disk is in
`datafiles`; here it becomes tensors, and MNIST is downloaded when the user asked for it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import torch
from torch import Tensor

from bntui.engine.config import ConfigError, parse_dataset
from bntui.engine.datafiles import (
    RAW_FILES,
    Arrays,
    DataError,
    RawFile,
    find,
    given_root,
    mnist_on_disk,
    mnist_raw,
    mnist_root,
    read_digits,
    read_mnist,
    read_raw,
    reason,
)

__all__ = [
    "DataError",
    "Dataset",
    "Split",
    "load",
    "mnist_on_disk",
    "mnist_root",
]

CLASSES = 10
POLL_SECONDS = 0.1
STALLED_SECONDS = 30.0
"""A download without a new byte for so long has failed: torchvision itself would wait forever."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Images with their labels, both on the run's device."""

    images: Tensor
    """float32 (N, 1, 28, 28), less the training images' mean, over their standard deviation."""
    labels: Tensor
    """int64 (N,), 0 to 9."""

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """What a run trains on and is validated on."""

    name: str
    train: Split
    validation: Split
    classes: int


def load(
    name: str,
    *,
    data_dir: str | None = None,
    train_size: int | None = None,
    device: torch.device,
    report: Callable[[str], None] = lambda _: None,
    breathe: Callable[[], None] = lambda: None,
) -> Dataset:
    """Load a data set onto the device.

    `digits` is built in. `mnist` is read from `data_dir`, else from $BNTUI_DATA; only when neither
    is given it is read from the user's data directory, and downloaded there when it is missing.
    `train_size` keeps the first so many training images, and the mean and deviation are theirs.
    `report` gets sentences about the progress, and `breathe` is called every so often and may raise
    to end the loading, both on the caller's thread.

    Raises ConfigError for a name or size out of bounds and DataError where files can't be used.
    """
    name = parse_dataset(name)
    report(f"loading {name}")
    if name == "digits":
        arrays = read_digits()
    else:
        if not given_root(data_dir):
            _complete(mnist_raw(data_dir), report, breathe)
        arrays = read_mnist(data_dir, breathe)
    _check_train_size(name, train_size, len(arrays.train_images))
    train, validation = _standardise(arrays, train_size, device)
    return Dataset(name, train, validation, CLASSES)


def _check_train_size(name: str, train_size: int | None, limit: int) -> None:
    if train_size is not None and not 1 <= train_size <= limit:
        raise ConfigError(
            f"train size {train_size:,} is out of range: {name} has {limit:,} training images, "
            f"give 1 to {limit:,}."
        )


def _standardise(
    arrays: Arrays, train_size: int | None, device: torch.device
) -> tuple[Split, Split]:
    images = torch.from_numpy(arrays.train_images[:train_size])
    labels = torch.from_numpy(arrays.train_labels[:train_size])
    mean, deviation = _mean_and_deviation(images)

    def split(images: Tensor, labels: Tensor) -> Split:
        # Bytes cross to the device, a quarter of the floats, and the arithmetic is in place.
        pixels = images.to(device).unsqueeze(1).to(torch.float32)
        return Split(pixels.sub_(mean).div_(deviation), labels.to(device).to(torch.int64))

    validation = split(
        torch.from_numpy(arrays.validation_images), torch.from_numpy(arrays.validation_labels)
    )
    return split(images, labels), validation


def _mean_and_deviation(images: Tensor) -> tuple[float, float]:
    """Return both over all pixels, exactly: bytes have but 256 values, so counts say it all."""
    shares = torch.bincount(images.flatten(), minlength=256).double() / images.numel()
    values = torch.arange(256, dtype=torch.float64)
    mean = shares @ values
    return float(mean), float((shares @ (values - mean).square()).sqrt())


def _complete(raw: Path, report: Callable[[str], None], breathe: Callable[[], None]) -> None:
    """Download those of MNIST's files that are missing, all of them or none."""
    missing = [file for file in RAW_FILES if find(raw, file) is None]
    if not missing:
        return
    try:
        raw.mkdir(parents=True, exist_ok=True)
        # In a folder of its own until it is checked: neither a crash nor a second bntui at the
        # same work can leave half a file where the next start would take it for MNIST.
        with TemporaryDirectory(
            dir=raw, prefix="download-", ignore_cleanup_errors=True
        ) as temporary:
            folder = Path(temporary)
            _download(missing, folder, report, breathe)
            for file in missing:
                try:
                    read_raw(folder / file.name, file)
                except ValueError as error:
                    raise _failed(f"what came as {file.name} is damaged, {error}") from error
            for file in missing:
                (folder / file.name).replace(raw / file.name)
    except OSError as error:
        raise DataError(
            f"MNIST can't be written to {raw} ({reason(error)}): make room there, name a folder "
            "that holds it in --data-dir, or use --dataset digits (built in)."
        ) from error


def _download(
    files: Sequence[RawFile],
    folder: Path,
    report: Callable[[str], None],
    breathe: Callable[[], None],
) -> None:
    """Download and unpack with torchvision, on a thread, so that this one can watch and leave.

    torchvision draws its bar on stderr. After leaving, the thread ends with the file at hand.
    """
    from torchvision.datasets import MNIST
    from torchvision.datasets.utils import download_and_extract_archive

    checksums = dict(MNIST.resources)
    leave = Event()
    failures: list[Exception] = []

    def fetch() -> None:
        for file in files:
            archive = f"{file.name}.gz"
            for mirror in MNIST.mirrors:
                if leave.is_set():
                    return
                try:
                    download_and_extract_archive(
                        mirror + archive, folder, filename=archive, md5=checksums[archive]
                    )
                    break
                except Exception as error:  # whatever it is, it belongs on the user's screen
                    failure = error
            else:
                failures.append(failure)
                return

    thread = Thread(target=fetch, daemon=True)
    thread.start()
    try:
        _watch(thread, folder, sum(file.download_size for file in files), report, breathe)
    finally:
        leave.set()
    if failures:
        raise _failed(reason(failures[0])) from failures[0]


def _watch(
    thread: Thread,
    folder: Path,
    expected: int,
    report: Callable[[str], None],
    breathe: Callable[[], None],
) -> None:
    size, grew = -1, time.monotonic()
    while thread.is_alive():
        breathe()
        now, before = sum(path.stat().st_size for path in folder.glob("*.gz")), size
        if now != before:
            size, grew = now, time.monotonic()
            report(f"downloading MNIST: {size / 1e6:.0f} of {expected / 1e6:.0f} MB")
        elif time.monotonic() - grew > STALLED_SECONDS:
            raise _failed(f"nothing came for {STALLED_SECONDS:.0f} seconds")
        thread.join(POLL_SECONDS)


def _failed(why: str) -> DataError:
    return DataError(
        f"MNIST can't be downloaded ({why}): check the network, name a folder that holds MNIST in "
        "--data-dir, or use --dataset digits (built in)."
    )
