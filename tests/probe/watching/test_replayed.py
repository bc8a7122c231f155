"""Every row of a watched training with looks on the way is what a replay with its momentum has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import bntui
from bntui.core.config import torch_momentum
from bntui.core.estimators import MOMENTA
from tests.probe.watching.trainings import Make, close, convolutional, dense, held, norms, residual

UPDATES = 14


def classifier(body: Make) -> nn.Module:
    return nn.Sequential(body(), nn.Flatten(), nn.LazyLinear(4))


def loader(seed: int) -> DataLoader[Any]:
    draws = torch.Generator().manual_seed(seed)
    images = 1.0 + 2.0 * torch.randn(64, 3, 8, 8, generator=draws)
    labels = torch.randint(4, (64,), generator=draws)
    return DataLoader(TensorDataset(images, labels), 16, shuffle=True, generator=draws)


def train(
    body: Make, momentum: float | None, watch: Callable[[nn.Module, DataLoader[Any]], Any] | None
) -> tuple[nn.Module, Any]:
    """Train; return the model, and who has watched it."""
    torch.manual_seed(0)
    model, batches = classifier(body), loader(1)
    model(next(iter(loader(1)))[0])  # the head is made
    for layer in norms(model):
        layer.reset_running_stats()
        layer.momentum = momentum
    probe = watch(model, loader(1)) if watch else None
    optimiser = torch.optim.SGD(model.parameters(), 0.05)
    update = 0
    while update < UPDATES:
        for images, labels in batches:
            update += 1
            optimiser.zero_grad()
            cross_entropy(model(images), labels).backward()
            optimiser.step()
            if update == UPDATES:
                break
    return model, probe


@pytest.mark.parametrize("body", [convolutional, residual, dense])
def test_hindsight_is_what_replays_have_in_their_buffers(body: Make, tmp_path: Path) -> None:
    def watch(model: nn.Module, training: DataLoader[Any]) -> Any:
        return bntui.watch(
            model, validation=loader(2), training=training, every=3, store=tmp_path / "runs.db"
        )

    watched, probe = train(body, 0.1, watch)
    with probe:
        for momentum in MOMENTA:
            replay, _ = train(body, torch_momentum(momentum), None)
            close(probe.statistics.row(f"{momentum:g}"), held(replay))
            pairs = zip(watched.parameters(), replay.parameters(), strict=True)
            assert all(torch.equal(one, other) for one, other in pairs)
        cumulative, _ = train(body, None, None)
        close(probe.statistics.row("cumulative"), held(cumulative))
        own, _ = train(body, 0.1, None)
        assert torch.equal(probe.statistics.own(), held(own))
        assert probe.statistics.notes == ()
