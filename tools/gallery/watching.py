"""A training by a loop of its own, watched for the gallery: a small residual network on the built-in photographs.

Its momentum, torch's 0.001, is too small for the updates that there are: validation fails.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import bntui
from bntui.core.snapshot import Phase, Snapshot
from bntui.data.built_in import PHOTOS
from bntui.probe.watching import watched_training

MOMENTUM = 0.001
"""Torch's: a thousandth of the batch's value goes in."""
UPDATES = 200
SCRIPT = "train.py --epochs 90"
BATCH = 32
EVERY = 40
"""Updates between two looks."""


class Residual(nn.Module):
    """Two convolutions beside their input."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after, momentum=MOMENTUM)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after, momentum=MOMENTUM)
        self.shortcut = nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, after, height / stride, width / stride)."""
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet(nn.Module):
    """A stem, three residual blocks and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8, momentum=MOMENTUM)
        self.layer1, self.layer2 = Residual(8, 16, 2), Residual(16, 32, 2)
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (n, 10)."""
        y = self.layer2(self.layer1(torch.relu(self.bn1(self.conv1(x)))))
        return self.fc(y.mean((2, 3)))  # type: ignore[no-any-return]


def loaders() -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Return batches of training and of validation."""
    found = PHOTOS.read()
    sets = [
        TensorDataset(
            torch.from_numpy(images).float().div(255).sub(0.5).unsqueeze(1),
            torch.from_numpy(labels).long(),
        )
        for images, labels in (
            (found.train_images, found.train_labels),
            (found.validation_images, found.validation_labels),
        )
    ]
    return DataLoader(sets[0], BATCH, shuffle=True), DataLoader(sets[1], 250)


def watched(*, blind: bool) -> Snapshot:
    """Train, and return what watching shows in the middle; `blind` without validation data."""
    torch.manual_seed(5)
    train, validation = loaders()
    model = ResNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    given = {} if blind else {"validation": validation, "training": train}
    with (
        patch.object(watched_training, "script", lambda: SCRIPT),
        bntui.watch(model, store=False, every=EVERY, control=True, **given) as probe,
    ):
        batches = (batch for _ in range(UPDATES) for batch in train)
        for images, labels in islice(batches, UPDATES):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
    shown = replace(probe.snapshot, phase=Phase.RUNNING, run="5c1e0ac1d2b3", followed=True, past=())
    # Time is what differs between two machines.
    told = replace(shown.watched, share=0.012) if shown.watched else None
    still: Snapshot = replace(shown, watched=told, seconds=48.0, observed_share=0.012)
    return still


def watching() -> Iterator[tuple[str, Any]]:
    """Yield a watched training with validation data, and one without."""
    yield "watched", watched(blind=False)
    yield "watched blind", watched(blind=True)
