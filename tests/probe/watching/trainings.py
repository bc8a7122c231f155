"""Small trainings that are watched, and replayed with another momentum."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bntui.core.config import torch_momentum
from bntui.core.estimators import MOMENTA
from bntui.measure.layers import running_statistics
from bntui.probe.watching.batch_statistics import Statistics

UPDATES = 10
Make = Callable[[], nn.Module]
Step = Callable[[nn.Module, int], Tensor]
"""Makes the loss of an update from the model and the update's number."""


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.BatchNorm2d(5)
    )


def dense() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(192, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, 4)
    )


class Residual(nn.Module):
    """A block of ResNet's."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (
            nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2)
        )
        self.norm, self.other = (nn.BatchNorm2d(channels) for _ in range(2))

    def forward(self, batch: Tensor) -> Tensor:
        inner = self.other(self.second(self.norm(self.first(batch)).relu()))
        return torch.relu(batch + inner)


def residual() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), *(Residual(8) for _ in range(3))
    )


def images(number: int) -> Tensor:
    draws = torch.Generator().manual_seed(number)
    return 2.0 + 3.0 * torch.randn(16, 3, 8, 8, generator=draws)


def once(model: nn.Module, number: int) -> Tensor:
    outputs: Tensor = model(images(number))
    return outputs.square().mean()


def trained(
    make: Make,
    momentum: float | None,
    step: Step = once,
    *,
    watch: bool = False,
    updates: int = UPDATES,
    before: Callable[[nn.Module], Any] = lambda _: None,
) -> tuple[nn.Module, Statistics]:
    """Train; return the model, and what was seen: nothing, if it was not watched.

    `before` is done to the model before it is watched.
    """
    torch.manual_seed(0)
    model = make()
    for layer in norms(model):
        layer.momentum = momentum
    before(model)
    statistics = Statistics(model if watch else nn.Sequential())
    optimiser = torch.optim.SGD(model.parameters(), 0.01)
    for number in range(updates):
        optimiser.zero_grad()
        step(model, number).backward()
        optimiser.step()
        statistics.step()
    return model, statistics


def norms(model: nn.Module) -> list[_BatchNorm]:
    return [one for one in model.modules() if isinstance(one, _BatchNorm)]


def held(model: nn.Module) -> Tensor:
    """Return what the buffers hold: (2, C)."""
    both = [running_statistics(one) for one in norms(model)]
    return torch.stack([torch.cat([one[at] for one in both]) for at in (0, 1)]).float()


def close(found: Tensor, expected: Tensor, momentum: float = 0.1) -> None:
    """Raise AssertionError where they differ by more than recovering at a momentum may."""
    error = 5e-6 * 0.1 / momentum
    torch.testing.assert_close(found, expected, rtol=error, atol=error)


def replayed(
    statistics: Statistics,
    make: Make,
    momentum: float = 0.1,
    step: Step = once,
    before: Callable[[nn.Module], Any] = lambda _: None,
) -> None:
    """Raise AssertionError unless rows equal the buffers of trainings with their momentum."""
    for each in MOMENTA:
        replay, _ = trained(make, torch_momentum(each), step, before=before)
        close(statistics.row(f"{each:g}"), held(replay), momentum)
