"""CIFAR-10: six batches of 10,000 colour images, pickled by Python 2.

A pickle can run any code, so a file is unpickled only if it has the MD5 that torchvision lists. Nobody
can yet make a second file with the MD5 of a given one.
"""

import hashlib
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bntui.core import file_kinds
from bntui.core.regular_file import open_regular
from bntui.data.arrays import Arrays
from bntui.data.download import ArchiveFile
from bntui.data.published import Published
from bntui.machine import libraries

TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = ("test_batch",)
DOWNLOAD_SIZE = 170_498_071
LARGEST_FILE = 50_000_000
"""Bytes: a batch has 31 million, and no more than this is read."""

Batch = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Images (N, 32, 32, 3) and labels (N,)."""


@dataclass(frozen=True)
class Cifar10(Published):
    """CIFAR-10 as its authors publish it for Python."""

    @property
    def files(self) -> tuple[str, ...]:
        """The batches' names."""
        return TRAIN + TEST

    def parse(self, path: Path, file: str) -> Batch:
        """Return the images and labels of one batch, once its MD5 is CIFAR-10's. Raises OSError, ValueError."""
        with libraries.loading("torchvision"):
            from torchvision.datasets import CIFAR10

        with open_regular(path) as stored:
            content = stored.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ValueError(f"is damaged, it is larger than {LARGEST_FILE:,} bytes")
        checksum = dict(CIFAR10.train_list + CIFAR10.test_list)[file]
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != checksum:
            what = file_kinds.known(content[: file_kinds.HEAD])
            if what not in {"", "empty", "a pickle"}:
                raise ValueError(f"is {what} and not {self.title}'s")
            raise ValueError(f"is damaged, its content is not {self.title}'s (wrong MD5)")
        batch = pickle.loads(content, encoding="latin1")
        images = batch["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return images, np.array(batch["labels"], np.uint8)

    def assemble(self, contents: Sequence[Batch]) -> Arrays:
        """Put the batches together."""
        images, labels = zip(*contents, strict=True)
        last = len(TRAIN)
        return Arrays(
            np.concatenate(images[:last]),
            np.concatenate(labels[:last]),
            np.concatenate(images[last:]),
            np.concatenate(labels[last:]),
            self.class_names,
        )

    def archives(self, missing: Sequence[str]) -> list[ArchiveFile]:
        """Return the one archive that holds all."""
        with libraries.loading("torchvision"):
            from torchvision.datasets import CIFAR10

        mirror = CIFAR10.url.removesuffix(CIFAR10.filename)
        return [ArchiveFile(CIFAR10.filename, CIFAR10.tgz_md5, DOWNLOAD_SIZE, (mirror,))]

    def unpacked(self, folder: Path, file: str) -> Path:
        """Return where a batch is after the archive was unpacked in `folder`."""
        return folder / self.folder / file


CIFAR10 = Cifar10(
    "cifar10",
    "CIFAR-10",
    "cifar-10-batches-py",
    (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
)
