"""What the tests of callbacks share: images that can be told, a network, and what a store has kept."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from bntui.core.watched import Watched
from bntui.store.database import Store

CLASSES = 3


def images(count: int, seed: int = 0) -> TensorDataset:
    """Return float32 (N, 2, 6, 6) with labels int64 (N,)."""
    draws = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    noise = torch.randn(count, 2, 6, 6, generator=draws)
    return TensorDataset(2.0 + noise + labels[:, None, None, None], labels)


def network(momentum: float = 0.1) -> nn.Sequential:
    """Return a network with two BN layers and dropout."""
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, bias=False),
        nn.BatchNorm2d(6, momentum=momentum),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Conv2d(6, 8, 3, bias=False),
        nn.BatchNorm2d(8, momentum=momentum),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32, CLASSES),
    )


@dataclass(frozen=True)
class Kept:
    """What a store has of its only run."""

    state: str
    updates: int
    losses: list[float]
    series: set[str]
    watched: Watched


def kept(store: Path) -> Kept:
    """Read the only run of a store."""
    with Store(store) as opened:
        (run,) = opened.runs()
        points = opened.points(run.id)
    assert run.watched
    losses = points["train_loss"].values.tolist()
    return Kept(run.state, run.updates, losses, set(points), run.watched)


def states(model: nn.Module) -> list[Tensor]:
    """Return copies of all weights and buffers."""
    return [one.detach().clone() for one in model.state_dict().values()]


def equal(one: list[Tensor], other: list[Tensor]) -> bool:
    """Tell whether tensors are the same bit for bit."""
    return len(one) == len(other) and all(map(torch.equal, one, other))
