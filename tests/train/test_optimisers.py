"""Our optimisers against torch's own, whose import they spare. Against Keras: test_against_keras."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bntui.core.border import BorderError
from bntui.train.optimisers import (
    ADAM_BETAS,
    ADAM_EPSILON,
    SGD_MOMENTUM,
    OptimiserState,
    optimiser,
)

RATES = (0.1, 0.01, 0.2, 0.05)


def torch_adam(parameters: list[nn.Parameter]) -> Callable[[float], object]:
    """Return the update of torch's Adam, with epsilon where Keras has it."""
    theirs = torch.optim.Adam(parameters, betas=ADAM_BETAS, fused=True)
    updates = iter(range(1, 1000))

    def update(rate: float) -> None:
        bias_correction = 1.0 - ADAM_BETAS[1] ** next(updates)
        theirs.param_groups[0] |= {"lr": rate, "eps": ADAM_EPSILON / math.sqrt(bias_correction)}
        theirs.step()

    return update


def torch_sgd(parameters: list[nn.Parameter]) -> Callable[[float], object]:
    """Return the update of torch's SGD."""
    theirs = torch.optim.SGD(parameters, lr=1.0, momentum=SGD_MOMENTUM, fused=True)

    def update(rate: float) -> None:
        theirs.param_groups[0]["lr"] = rate
        theirs.step()

    return update


THEIRS = {"adam": torch_adam, "sgd": torch_sgd}


def parameters() -> list[nn.Parameter]:
    """Return a convolution's weights as the network lays them out, a bias and a single number."""
    generator = torch.Generator().manual_seed(0)
    kernels = torch.randn(5, 4, 3, 3, generator=generator)
    bias = torch.randn(7, generator=generator)
    kernels = kernels.contiguous(memory_format=torch.channels_last)
    return [nn.Parameter(each) for each in (kernels, bias, torch.ones(()))]


def gradients(update: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(update)
    scale = 10.0 ** -(2 * update)  # down to where epsilon decides
    return [torch.randn(p.shape, generator=generator).mul(scale) for p in parameters()]


def train(these: list[nn.Parameter], update: Callable[[float], object], numbers: range) -> None:
    for number in numbers:
        for parameter, gradient in zip(these, gradients(number), strict=True):
            parameter.grad = torch.empty_like(parameter).copy_(gradient)
        update(RATES[number])


@pytest.mark.parametrize("name", THEIRS)
def test_steps_are_those_of_torch_bit_for_bit(name: str) -> None:
    mine, theirs = parameters(), parameters()
    train(mine, optimiser(name, mine).update, range(4))
    train(theirs, THEIRS[name](theirs), range(4))
    assert not torch.equal(mine[0], parameters()[0])
    assert all(map(torch.equal, mine, theirs))


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("kept_at", [0, 2])
def test_from_a_state_steps_go_on_bit_for_bit(name: str, kept_at: int) -> None:
    whole, halves = parameters(), parameters()
    train(whole, optimiser(name, whole).update, range(4))
    first, second = optimiser(name, halves), optimiser(name, halves)
    train(halves, first.update, range(kept_at))
    assert all(map(bool, first.state().slots)) == (kept_at > 0)
    second.restore(first.state())
    train(halves, second.update, range(kept_at, 4))
    assert all(map(torch.equal, whole, halves))


@pytest.mark.parametrize("name", THEIRS)
def test_a_state_of_another_optimiser_is_refused(name: str) -> None:
    mine = parameters()
    subject = optimiser(name, mine)
    train(mine, subject.update, range(1))
    other = optimiser(next(each for each in THEIRS if each != name), mine)
    with pytest.raises(BorderError, match="instead of"):
        other.restore(subject.state())
    some = [{}, *subject.state().slots[1:]]
    with pytest.raises(BorderError, match="instead of"):
        optimiser(name, mine).restore(OptimiserState(some, 1))
    with pytest.raises(BorderError, match="2 parameters instead of 3"):
        optimiser(name, mine).restore(OptimiserState(some[1:], 1))
