"""What is said of running statistics where nothing tells what they cost."""

from typing import Any

import pytest
import torch

from bntui.core.watched import Found
from bntui.probe.watching.batch_statistics import Statistics
from bntui.probe.watching.looks import Looks
from tests.cases.data import digits, mlp, small_cnn
from tests.cases.faulty.partly_untouched_other_branch import TwoSets
from tests.probe.watching.test_looks import fit


def found_of(model: torch.nn.Module, updates: int, rate: float, **given: Any) -> tuple[Found, ...]:
    statistics = Statistics(model)
    looks = Looks(model, statistics, **given)
    fit(model, digits(), statistics, updates, rate)
    looks.validate(updates)
    return looks.findings(updates)


@pytest.mark.parametrize("given", [{}, {"training": digits()}], ids=["statistics", "training"])
def test_a_sound_training_is_near_fresh_statistics(given: dict[str, Any]) -> None:
    (found,) = found_of(small_cnn(), 150, 0.005, **given)
    assert (found.cause, found.severity) == ("sound", "remark")
    assert "not measured" in found.evidence[-1]
    assert ("without training=" in " ".join(found.evidence)) is not bool(given)


def test_a_small_momentum_is_named_by_what_others_would_have_given() -> None:
    found = found_of(small_cnn(momentum=0.002), 100, 0.02)
    (one,) = [one for one in found if one.cause == "momentum-too-small"]
    assert one.severity == "warning"
    assert "not measured" in one.evidence[1]  # the paragraph at the end tells the first three
    assert "Had torch's momentum been" in " ".join(one.evidence)


@pytest.mark.parametrize("given", [{}, {"training": digits()}], ids=["statistics", "training"])
def test_momentum_0_is_named_once(given: dict[str, Any]) -> None:
    (found,) = found_of(mlp(momentum=0.0), 20, 0.02, **given)
    assert (found.cause, found.severity) == ("momentum-too-small", "warning")


def test_layers_that_training_does_not_call_are_told() -> None:
    found = found_of(TwoSets(), 30, 0.01)
    (one,) = [one for one in found if one.cause == "partly-untouched"]
    assert one.evidence[0].startswith("3 of 6 layers")
    assert one.severity == "warning"


def test_before_the_first_update_nothing_can_be_told() -> None:
    model = mlp()
    looks = Looks(model, Statistics(model))
    looks.validate(0)
    (found,) = looks.findings(0)
    assert (found.cause, found.severity) == ("undecided", "undecided")
    report = looks.report(1)
    assert report.running is None
    assert "counts as sound" not in str(report)
    assert not report.sound


def test_statistics_that_are_not_finite_are_told() -> None:
    model = mlp()
    statistics = Statistics(model)
    looks = Looks(model, statistics)
    fit(model, digits(), statistics, 3)
    layer = model[2]
    assert isinstance(layer, torch.nn.BatchNorm1d)
    assert layer.running_var is not None
    layer.running_var[3] = torch.nan
    looks.validate(3)
    assert [(one.cause, one.severity) for one in looks.findings(3)] == [("non-finite", "unsound")]
