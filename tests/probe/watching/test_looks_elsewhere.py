"""Looks at models that are wrapped, compiled, or another library's."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import distributed, nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from bntui.probe.keras_model import KerasModel
from bntui.probe.watching.batch_statistics import Statistics
from bntui.probe.watching.looks import Looks
from tests.as_found import as_found
from tests.cases.data import digits, endless, mlp


@pytest.fixture
def group(tmp_path: Path) -> Iterator[None]:
    """Be the only process of a group."""
    distributed.init_process_group("gloo", f"file://{tmp_path / 'met'}", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


Graphs = Callable[[], int]


@pytest.fixture
def graphs() -> Iterator[Graphs]:
    """Count the graphs that torch has compiled in this test."""
    counters = torch._dynamo.utils.counters
    torch._dynamo.reset()  # code of another test's model would do for this one's
    counters.clear()
    yield lambda: counters["stats"]["unique_graphs"]
    counters.clear()


def looked_at(model: nn.Module, calls: nn.Module, updates: int = 10, accumulated: int = 1) -> Looks:
    """Train `calls`, which runs the model, with all kinds of looks after every fifth update."""
    statistics = Statistics(model)
    looks = Looks(calls, statistics, validation=digits("validation"), training=digits())
    steps = torch.optim.SGD(model.parameters(), lr=0.05)
    calls.train()
    batches = endless(digits())
    for update in range(1, updates + 1):
        steps.zero_grad()
        for _ in range(accumulated):
            inputs, labels = next(batches)
            cross_entropy(calls(inputs), labels).backward()
        steps.step()
        statistics.step()
        if update % 5 == 0:
            before = as_found(calls)
            validation, moment = looks.validate(update), looks.look_back(update)
            looks.report(1)
            assert as_found(calls) == before
            assert validation.images == 512
            assert moment.momentum == 0.9
    return looks


def plain_training(updates: int = 10) -> nn.Module:
    model = mlp().train()
    steps = torch.optim.SGD(model.parameters(), lr=0.05)
    batches = endless(digits())
    for _ in range(updates):
        inputs, labels = next(batches)
        steps.zero_grad()
        cross_entropy(model(inputs), labels).backward()
        steps.step()
    return model


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(*pair) for pair in pairs)


@pytest.mark.usefixtures("group")
def test_of_distributed_training_the_model_inside_is_looked_at() -> None:
    model = mlp()
    wrapped = DistributedDataParallel(model)
    looks = looked_at(model, wrapped)
    assert looks.model is model
    assert same(model, plain_training())


def test_a_compiled_model_runs_as_it_was_compiled_after_a_look(graphs: Graphs) -> None:
    model = mlp()
    compiled: Any = torch.compile(model, backend="eager")
    looked_at(model, compiled)
    assert graphs() == 1
    assert same(model, plain_training())


def test_a_compiled_model_is_not_compiled_again_to_tell_calls_apart(graphs: Graphs) -> None:
    model = mlp()
    compiled: Any = torch.compile(model, backend="eager")
    looks = looked_at(model, compiled, accumulated=2)
    assert graphs() == 1
    looks.validate(10)
    assert "counted-twice" in [one.cause for one in looks.findings(10)]


@pytest.mark.usefixtures("group")
def test_layers_that_wait_for_other_processes_are_run_in_no_pass_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = nn.SyncBatchNorm.convert_sync_batchnorm(mlp())
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    layers = [one for one in model.modules() if isinstance(one, nn.SyncBatchNorm)]
    statistics = Statistics(model)
    looks = Looks(model, statistics, validation=digits("validation"), training=digits())

    def refuse(layer: nn.Module, *_: object) -> None:
        assert not layer.training

    for layer in layers:
        layer.register_forward_pre_hook(refuse)
    model.train()
    looks.validate(1)
    looks.report(1)
    assert any("synchronised" in one for one in looks.notes)


def test_a_keras_model_is_looked_at_in_its_own_convention() -> None:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    theirs = keras.Sequential(
        [
            keras.layers.Input((784,)),
            keras.layers.Dense(32),
            keras.layers.BatchNormalization(momentum=0.0),
            keras.layers.ReLU(),
            keras.layers.Dense(10),
        ]
    )
    model = KerasModel(theirs)
    inputs, labels = next(iter(digits(batch=16)))
    batch = (inputs.flatten(1), labels)
    looks = Looks(model, Statistics(model), validation=[batch], training=[batch])
    model(batch[0])
    before = [np.array(one) for one in theirs.get_weights()]
    validation = looks.validate(1)
    assert all(np.array_equal(*pair) for pair in zip(before, theirs.get_weights(), strict=True))
    (layer,) = validation.layers
    assert layer.detail.values is not None
    # With Keras's momentum 0 its statistics are the last batch's own, with its biased variance.
    np.testing.assert_allclose(
        layer.detail.values.running, layer.detail.values.fresh, rtol=1e-4, atol=1e-5
    )
    model.detach()
