"""The faulty cases, watched while they train: the cause is named, at the latest at the training's end.

Not those whose fault comes after their training: averaged, exported, converted or loaded weights.
"""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
import torch

from bntui.probe.causes import Cause, Severity
from tests.cases import faulty, healthy
from tests.cases.watched import watched

AFTERWARDS = {
    "averaged_weights_ema",
    "averaged_weights_half",
    "averaged_weights_soup",
    "averaged_weights_swa",
    "exported_differently_bias",
    "exported_differently_epsilon",
    "never_updated_federated",
    "never_updated_parameters_only",
    "non_finite_negative_variance",
    "partly_untouched_converted",
    "partly_untouched_domain",
    "partly_untouched_new_layer",
    "precision_overflow",
}
FAULTY = [
    module.name for module in pkgutil.iter_modules(faulty.__path__) if module.name not in AFTERWARDS
]
HEALTHY = [
    "autocast",
    "cumulative",
    "dict_batches",
    "discriminator",
    "frozen_backbone",
    "masked_sequences",
    "regression",
    "small_batches",
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", FAULTY)
def test_the_cause_is_named_while_it_is_trained(name: str) -> None:
    module = importlib.import_module(f"{faulty.__name__}.{name}")
    ended = watched(module)
    assert ended.findings[0].cause == module.CAUSE, ended
    assert not [one for one in ended.notes if "failed" in one]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_blamed_at_the_end_of_a_sound_training(name: str) -> None:
    ended = watched(importlib.import_module(f"{healthy.__name__}.{name}"))
    assert {one.severity for one in ended.findings} <= {Severity.WARNING, Severity.REMARK}, ended
    assert not [one for one in ended.notes if "failed" in one]


def test_a_model_that_is_called_for_two_inputs_is_said_to_count_twice() -> None:
    ended = watched(importlib.import_module(f"{healthy.__name__}.siamese"))
    found = next(one for one in ended.findings if one.cause == Cause.COUNTED_TWICE)
    assert found.severity == Severity.WARNING
    assert "not activation checkpointing" in " ".join(found.evidence)
