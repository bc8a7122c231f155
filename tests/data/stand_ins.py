"""Small data sets in the place of published ones, with their own checksums."""

import gzip
import hashlib
import os
import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets

from bntui.data import sources
from bntui.data.arrays import Arrays
from bntui.data.cifar import CIFAR10
from bntui.data.idx import MNIST, Idx, IdxFile
from bntui.data.published import Published
from bntui.data.sources import mnist_on_disk
from tests.data.loading import sentence

REAL_MNIST = os.environ.get("BNTUI_DATA")
needs_mnist = pytest.mark.skipif(
    REAL_MNIST is None or not mnist_on_disk(REAL_MNIST), reason="BNTUI_DATA doesn't hold MNIST"
)
COUNTS = (20, 20, 10, 10)
IMAGES = 2
"""Images in each of the stand-in's batches of CIFAR-10."""


@dataclass(frozen=True)
class StandIn:
    """A small data set in a published one's place, whole in `root`."""

    known: Published
    root: Path

    @property
    def name(self) -> str:
        return self.known.name

    @property
    def place(self) -> Path:
        return self.root / self.known.folder

    def arrays(self) -> Arrays:
        return self.known.read(str(self.root))


def idx_stand_in(known: Idx, root: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    (root / known.folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    files = []
    for real, count in zip(known.contents, COUNTS, strict=True):
        shape = (count, *real.shape[1:])
        header = [len(shape) + 0x800, *shape]
        values = rng.integers(0, 256 if len(shape) > 1 else 10, shape, np.uint8)
        content = b"".join(number.to_bytes(4, "big") for number in header) + values.tobytes()
        (root / known.folder / real.name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest() if real.sha256 else ""
        files.append(IdxFile(real.name, shape, len(gzip.compress(content)), digest))
    small = replace(known, contents=tuple(files))
    monkeypatch.setitem(sources.PUBLISHED_SETS, known.name, small)
    if known is MNIST:
        monkeypatch.setattr(sources, "MNIST", small)
    return StandIn(small, root)


def cifar_stand_in(root: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    (root / CIFAR10.folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    checksums = []
    for number, file in enumerate(CIFAR10.files):
        data = rng.integers(0, 256, (IMAGES, 3072), np.uint8)
        content = pickle.dumps({"data": data, "labels": [number, 9 - number]}, protocol=2)
        (root / CIFAR10.folder / file).write_bytes(content)
        checksums.append([file, hashlib.md5(content).hexdigest()])
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "train_list", checksums[:5])
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "test_list", checksums[5:])
    return StandIn(CIFAR10, root)


def complaint(small: StandIn | str, **options: object) -> str:
    text = sentence(small if isinstance(small, str) else small.name, **options)
    assert "--dataset digits" in text
    return text
