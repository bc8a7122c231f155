"""Data sets as tensors on the device, standardised once.

The whole set stays in memory, and a batch is an index into it. `sources.py` reads the files as
arrays; here the arrays become tensors.
"""

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bntui.core.parsers import DATASETS, parse_dataset
from bntui.core.text import printable
from bntui.data import sources
from bntui.data.arrays import Arrays, DataError

SUMMED_AT_ONCE = 1000
"""Images of which float64 sums are taken at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Images with their labels, both on the run's device."""

    images: Tensor
    """float32 (N, C, H, W), C 1 for grey and 3 for colour; in each channel less the mean of the
    training images, over their standard deviation."""
    labels: Tensor
    """int64 (N,), from 0."""

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """What a run trains on and is validated on."""

    name: str
    train: Split
    validation: Split
    class_names: tuple[str, ...]
    notice: str = ""
    """What was decided on the way and the user should know, in a sentence."""
    checksum: int = 0
    """Of all images and labels as they are stored."""

    @property
    def classes(self) -> int:
        """How many classes there are; one may lack images."""
        return len(self.class_names)


def load(
    dataset: str,
    *,
    data_dir: str | None = None,
    train_size: int | None = None,
    device: torch.device,
    report: Callable[[str], None] = lambda _: None,
    check_stop: Callable[[], None] = lambda: None,
) -> Dataset:
    """Load a data set onto the device.

    `digits` and `photos` are built in. `mnist`, `fashion-mnist`, `kmnist` and `cifar10` are read from `data_dir`,
    else from $BNTUI_DATA; only when neither is given they are read from the user's data directory,
    and downloaded there when they are missing. Anything else is the path of a folder of images or
    of an `.npz`. `train_size` keeps so many training images, the first ones, or of the user's own
    each class in its proportion; the mean and deviation are theirs. `report` gets sentences about
    the progress, and `check_stop` is called every so often and may raise to end the loading, both on
    the caller's thread.

    Raises ConfigError for a name or size out of bounds and DataError where files can't be used.
    """
    dataset = parse_dataset(dataset)
    name = dataset if dataset in DATASETS else printable(Path(dataset).name)
    report(f"loading {name}")
    arrays = sources.read(
        dataset, data_dir=data_dir, train_size=train_size, report=report, check_stop=check_stop
    )
    train, validation = _standardise(name, arrays, device)
    return Dataset(name, train, validation, arrays.class_names, arrays.notice, _checksum(arrays))


def _checksum(arrays: Arrays) -> int:
    """Return the CRC-32 of all images and labels: a gigabyte takes less than a second."""
    every = (
        *(arrays.train_images, arrays.train_labels),
        *(arrays.validation_images, arrays.validation_labels),
    )
    crc = 0
    for array in every:
        crc = zlib.crc32(np.ascontiguousarray(array).data, crc)
    return crc


def _standardise(name: str, arrays: Arrays, device: torch.device) -> tuple[Split, Split]:
    train = _by_channel(torch.from_numpy(arrays.train_images))
    validation = _by_channel(torch.from_numpy(arrays.validation_images))
    moments = [_mean_and_deviation(train[:, channel]) for channel in range(train.shape[1])]
    means, deviations = torch.tensor(moments, dtype=torch.float32).T.reshape(2, -1, 1, 1)
    if not deviations.any():
        raise DataError(
            f"all training images of {name} are of one colour: give images to tell apart."
        )
    deviations[deviations == 0] = 1.0  # a channel without content, such as a blue that is always 0
    means, deviations = means.to(device), deviations.to(device)

    def split(images: Tensor, labels: Tensor) -> Split:
        # Bytes cross to the device, a quarter of the floats, and the arithmetic is in place.
        pixels = images.to(device).to(torch.float32)
        return Split(pixels.sub_(means).div_(deviations), labels.to(device).to(torch.int64))

    return (
        split(train, torch.from_numpy(arrays.train_labels)),
        split(validation, torch.from_numpy(arrays.validation_labels)),
    )


def _by_channel(images: Tensor) -> Tensor:
    """Return (N, H, W) or (N, H, W, C) as (N, C, H, W), without a copy."""
    return images.unsqueeze(1) if images.dim() == 3 else images.movedim(-1, 1)


def _mean_and_deviation(images: Tensor) -> tuple[float, float]:
    """Return both over all pixels of (N, H, W), in float64."""
    if images.dtype == torch.uint8:
        # Exactly: bytes have but 256 values, so counts say it all.
        shares = torch.bincount(images.flatten(), minlength=256).double() / images.numel()
        values = torch.arange(256, dtype=torch.float64)
        mean = float(shares @ values)
        return mean, math.sqrt(shares @ (values - mean).square())
    mean = (
        sum(float(chunk.double().sum()) for chunk in images.split(SUMMED_AT_ONCE)) / images.numel()
    )
    squares = sum(
        float((chunk.double() - mean).square().sum()) for chunk in images.split(SUMMED_AT_ONCE)
    )
    return mean, math.sqrt(squares / images.numel())
