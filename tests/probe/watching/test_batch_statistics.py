"""Statistics recovered while a training runs equal those of a replay."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bntui.core.config import torch_momentum
from bntui.core.estimators import MOMENTA
from bntui.measure.layers import running_statistics
from bntui.probe.watching.batch_statistics import Statistics

UPDATES = 12
LOOSE = 1e-5
"""How far a row may be from a replay, relative to its size, at torch's momentum 0.1: see the module."""
Step = Callable[[nn.Module, int], Tensor]


def convolutional() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.BatchNorm2d(5)
    )


def dense() -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(192, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, 4)
    )


def residual() -> nn.Module:
    from torchvision.models import resnet18

    model: nn.Module = resnet18(num_classes=4)
    return model


def images(number: int) -> Tensor:
    draws = torch.Generator().manual_seed(number)
    return 2.0 + 3.0 * torch.randn(16, 3, 8, 8, generator=draws)


def once(model: nn.Module, number: int) -> Tensor:
    outputs: Tensor = model(images(number))
    return outputs.square().mean()


def trained(
    make: Callable[[], nn.Module],
    momentum: float | None,
    step: Step = once,
    watch: bool = False,
) -> tuple[nn.Module, Statistics | None]:
    """Train; return the model, and who has watched it."""
    torch.manual_seed(0)
    model = make()
    for layer in norms(model):
        layer.momentum = momentum
    statistics = Statistics(model) if watch else None
    optimiser = torch.optim.SGD(model.parameters(), 0.01)
    for number in range(UPDATES):
        optimiser.zero_grad()
        step(model, number).backward()
        optimiser.step()
        if statistics:
            statistics.step()
    return model, statistics


def norms(model: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    return [one for one in model.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]


def held(model: nn.Module) -> Tensor:
    both = [running_statistics(one) for one in norms(model)]
    return torch.stack([torch.cat([one[at] for one in both]) for at in (0, 1)])


@pytest.mark.parametrize("make", [convolutional, dense, residual])
def test_a_row_is_what_a_replay_has_in_its_buffers(make: Callable[[], nn.Module]) -> None:
    _, statistics = trained(make, 0.1, watch=True)
    assert statistics
    for momentum in MOMENTA:
        replay, _ = trained(make, torch_momentum(momentum))
        torch.testing.assert_close(
            statistics.row(f"{momentum:g}"), held(replay), rtol=LOOSE, atol=LOOSE
        )
    replay, _ = trained(make, None)
    torch.testing.assert_close(statistics.row("cumulative"), held(replay), rtol=LOOSE, atol=LOOSE)
    assert statistics.notes == ()


def test_watching_changes_no_bit() -> None:
    plain, _ = trained(residual, 0.1)
    watched, _ = trained(residual, 0.1, watch=True)
    for one, other in zip(plain.state_dict().values(), watched.state_dict().values(), strict=True):
        assert torch.equal(one, other)
