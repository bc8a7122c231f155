"""Keras's optimisers, as far as they are read at every update: by stand-ins, since they are asked for little."""

import math

import pytest
from torch import nn

from bntui.probe.watching.described import rate_of
from bntui.probe.watching.keras_updates import KerasOptimizer
from bntui.probe.watching.steps import Updates


class Variable:
    """A variable of Keras's."""

    def __init__(self, value: nn.Parameter) -> None:
        self.value = value


class Scheduled:
    """An optimiser whose learning rate a schedule makes; it counts how often that is read."""

    def __init__(self, model: nn.Module) -> None:
        self._trainable_variables = [Variable(one) for one in model.parameters()]
        self.read = 0

    @property
    def learning_rate(self) -> float:
        self.read += 1
        return 0.25


@pytest.fixture
def model() -> nn.Module:
    return nn.Linear(2, 1)


def test_an_update_does_not_read_the_learning_rate(model: nn.Module) -> None:
    theirs = Scheduled(model)
    updates, optimizer = Updates(model), KerasOptimizer(theirs)
    assert [updates.begins(optimizer, new=True) for _ in range(3)] == [True] * 3
    assert not Updates(nn.Linear(2, 1)).begins(optimizer, new=True)
    assert theirs.read == 0
    assert rate_of(optimizer) == 0.25
    assert theirs.read == 1


def test_an_optimiser_that_is_gone_holds_nothing(model: nn.Module) -> None:
    optimizer = KerasOptimizer(Scheduled(model))
    assert optimizer.param_groups == []
    assert math.isnan(rate_of(optimizer))
