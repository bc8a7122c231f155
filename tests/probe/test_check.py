"""`bntui.check` on small models: forms of batches, scores of every kind, and what can't be checked."""

from collections import namedtuple
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel

from bntui.probe.causes import Cause, Severity
from bntui.probe.check import check
from bntui.probe.errors import ProbeError
from bntui.probe.report import Report, UnsoundError
from tests.probe.trained import TRAINING, VALIDATION, Perceptron, fitted

Pair = namedtuple("Pair", "inputs labels")


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    return fitted()


@pytest.fixture
def untouched(trained: nn.Module) -> nn.Module:
    model = deepcopy(trained)
    model.norm.reset_running_stats()  # type: ignore[operator,union-attr]
    return model


def causes(report: Report) -> list[Cause]:
    return [one.cause for one in report.verdicts]


FORMS: dict[str, Any] = {
    "tuples": lambda pair: pair,
    "lists": list,
    "named tuples": lambda pair: Pair(*pair),
    "dicts": lambda pair: {"inputs": pair[0], "labels": pair[1]},
    "batches of one": None,
}


@pytest.mark.parametrize("form", FORMS)
def test_batches_of_every_form_are_judged_alike(
    form: str, trained: nn.Module, untouched: nn.Module
) -> None:
    change = FORMS[form]
    if change is None:
        inputs, labels = VALIDATION[0]
        validation = [(inputs[n : n + 1], labels[n : n + 1]) for n in range(64)]
        training: list[Any] = TRAINING
    else:
        validation, training = list(map(change, VALIDATION)), list(map(change, TRAINING))
    sound, unsound = (check(model, validation, training) for model in (trained, untouched))
    assert causes(sound) == [Cause.SOUND]
    assert causes(unsound) == [Cause.NEVER_UPDATED]
    assert unsound.running is not None
    assert sound.running is not None
    assert unsound.running.score < sound.running.score
    assert sound.metric == "accuracy"


def test_inputs_alone_are_judged_by_how_far_outputs_are_off(
    trained: nn.Module, untouched: nn.Module
) -> None:
    validation, training = [x for x, _ in VALIDATION], [x for x, _ in TRAINING]
    assert causes(check(trained, validation, training)) == [Cause.SOUND]
    report = check(untouched, validation, training)
    assert causes(report) == [Cause.NEVER_UPDATED]
    assert "no class labels" in " ".join(report.notes)


def test_a_metric_of_the_users_own(trained: nn.Module, untouched: nn.Module) -> None:
    def metric(outputs: Tensor, labels: Tensor) -> Tensor:
        return -cross_entropy(outputs, labels, reduction="none")

    assert causes(check(trained, VALIDATION, TRAINING, metric=metric)) == [Cause.SOUND]
    assert causes(check(untouched, VALIDATION, TRAINING, metric=metric)) == [Cause.NEVER_UPDATED]


def test_without_training_batches_the_state_is_judged_and_the_rest_is_open(
    trained: nn.Module, untouched: nn.Module
) -> None:
    report = check(trained, VALIDATION)
    assert causes(report) == [Cause.UNDECIDED]
    assert report.fresh is None
    assert report.running is not None
    assert not report.sound
    assert causes(check(untouched, VALIDATION))[0] is Cause.NEVER_UPDATED
    broken = deepcopy(trained)
    broken.norm.running_var[3] = -1.0  # type: ignore[operator,union-attr]
    assert causes(check(broken, VALIDATION)) == [Cause.NON_FINITE]


def test_half_precision_takes_single_precision_batches(trained: nn.Module) -> None:
    report = check(deepcopy(trained).bfloat16(), VALIDATION, TRAINING)
    assert report.sound
    assert causes(report)[0] is Cause.PRECISION
    assert report.verdicts[0].severity is Severity.WARNING


def test_autocast_is_the_callers(trained: nn.Module) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert causes(check(trained, VALIDATION, TRAINING)) == [Cause.SOUND]


def test_an_averaged_model_is_told_from_lag(trained: nn.Module) -> None:
    averaged = AveragedModel(Perceptron())
    averaged.update_parameters(trained)
    averaged.module.norm.reset_running_stats()  # type: ignore[operator,union-attr]
    assert causes(check(averaged, VALIDATION, TRAINING))[0] is Cause.AVERAGED_WEIGHTS


def test_another_model_that_differs_is_named_with_its_first_layer(trained: nn.Module) -> None:
    other = deepcopy(trained)
    assert causes(check(trained, VALIDATION, TRAINING, against=other)) == [Cause.SOUND]
    other.norm.eps = 30.0  # type: ignore[union-attr]
    report = check(trained, VALIDATION, TRAINING, against=other)
    assert causes(report) == [Cause.EXPORTED_DIFFERENTLY]
    assert "is norm." in " ".join(report.verdicts[0].evidence)
    assert causes(check(trained, VALIDATION, TRAINING, against=lambda x: other(x))) == [
        Cause.EXPORTED_DIFFERENTLY
    ]


def test_a_report_is_the_same_again(untouched: nn.Module) -> None:
    assert check(untouched, VALIDATION, TRAINING) == check(untouched, VALIDATION, TRAINING)


def test_an_unsound_report_raises_what_is_not_ignored(untouched: nn.Module) -> None:
    report = check(untouched, VALIDATION, TRAINING)
    with pytest.raises(UnsoundError, match="never-updated"):
        report.raise_for_verdict()
    report.raise_for_verdict(ignore=["never-updated"])
    with pytest.raises(ProbeError, match="cause 'slow' is unknown: ignore one of non-finite,"):
        report.raise_for_verdict(ignore=["slow"])


@pytest.mark.parametrize("name", ["samples", "fresh_batches"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "many"])
def test_numbers_out_of_bounds_are_refused(trained: nn.Module, name: str, value: object) -> None:
    with pytest.raises(ProbeError, match=f"{name} must be a whole number from 1 on"):
        check(trained, VALIDATION, TRAINING, **{name: value})  # type: ignore[arg-type]


def test_no_more_samples_are_taken_than_wanted(trained: nn.Module) -> None:
    report = check(trained, VALIDATION, TRAINING, samples=100, fresh_batches=3)
    assert report.fresh is not None
    assert report.fresh.samples == 100
    assert "3 training batches in training mode, 192 samples" in " ".join(report.notes)


class InPlace(nn.Module):
    """Centres its inputs in place."""

    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.inside = inside

    def forward(self, inputs: Tensor) -> Tensor:
        inputs += 1.0
        outputs: Tensor = self.inside(inputs)
        return outputs


@pytest.mark.parametrize("forward", [None, lambda model, batch: model(batch[0])])
def test_a_model_may_work_in_place_on_what_it_gets(trained: nn.Module, forward: Any) -> None:
    below = [
        [(inputs - 1.0, labels) for inputs, labels in loader] for loader in (VALIDATION, TRAINING)
    ]
    before = deepcopy(below)
    report = check(InPlace(trained), *below, forward=forward)
    assert causes(report) == [Cause.SOUND]
    for kept, loader in zip(before, below, strict=True):
        for one, other in zip(kept, loader, strict=True):
            assert torch.equal(one[0], other[0])


def test_a_remedy_that_is_the_fresh_statistics_costs_no_passes(
    trained: nn.Module, untouched: nn.Module
) -> None:
    passes = [0, 0]
    for number, model in enumerate((deepcopy(trained), untouched)):

        def count(*_: object, number: int = number) -> None:
            passes[number] += 1

        model.register_forward_pre_hook(count)
        check(model, VALIDATION, TRAINING)
    assert passes[0] == passes[1]
