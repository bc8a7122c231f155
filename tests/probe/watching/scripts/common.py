"""What the scripts share: images that draw from every random stream, a network, and what is kept."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

FILE = Path(sys.argv[1])
"""Where the end of the training is kept."""
WATCHED = "--watch" in sys.argv
CLASSES, SIDE = 4, 12
Batches = DataLoader[tuple[Tensor, int]]


class Images(Dataset[tuple[Tensor, int]]):
    """Noisy images, moved, brightened and blotted by Python's, NumPy's and torch's global streams."""

    def __init__(self, count: int, seed: int, augmented: bool = True) -> None:
        draws = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(CLASSES, (count,), generator=draws)
        patterns = torch.randn(CLASSES, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(9))
        noise = torch.randn(count, 3, SIDE, SIDE, generator=draws)
        self.images = patterns[self.labels] + 2.0 * noise
        self.augmented = augmented

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, at: int) -> tuple[Tensor, int]:
        image = self.images[at]
        if self.augmented:
            image = image.roll(random.randint(-1, 1), -1)
            image = image + float(np.random.normal(scale=0.1))  # noqa: NPY002
            image = image + 0.1 * torch.randn(3, 1, 1)
        return image, int(self.labels[at])


def seed() -> None:
    """Set the global streams."""
    random.seed(1)
    np.random.seed(2)  # noqa: NPY002
    torch.manual_seed(3)


def loaders(batch: int = 16, batches: int = 10, workers: int = 0) -> tuple[Batches, Batches]:
    """Return training batches in an order from torch's global stream, and validation batches."""
    training = DataLoader(
        Images(batch * batches, 4),
        batch,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    return training, DataLoader(Images(64, 5, augmented=False), 32)


def network(channels: int = 8, classes: int = CLASSES) -> nn.Sequential:
    """Return two blocks with batch norm and dropout, and a head."""
    return nn.Sequential(
        nn.Conv2d(3, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(2 * channels),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * channels, classes),
    )


class Unwatched:
    """What stands in for the probe where nothing is watched."""

    def log(self, **values: Any) -> None:
        """Do nothing."""


@contextmanager
def watched(model: nn.Module, **given: Any) -> Iterator[Any]:
    """Watch the training if the command line says so, with a look every few updates."""
    if not WATCHED:
        yield Unwatched()
        return
    import bntui

    with bntui.watch(model, every=4, share=0.9, **given) as probe:
        yield probe


def tell(step: int, loss: Tensor) -> None:
    """Print a loss to its last digit."""
    print(step, repr(loss.item()), flush=True)


def keep(file: Path = FILE, **parts: Any) -> None:
    """Keep the states of models and optimisers, and where the random streams stand."""
    states = {name: part.state_dict() for name, part in parts.items()}
    states |= {
        "torch's stream": torch.get_rng_state(),
        "python's stream": random.getstate(),
        "numpy's stream": np.random.get_state(),  # noqa: NPY002
    }
    torch.save(states, file)
