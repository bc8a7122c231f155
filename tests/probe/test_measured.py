"""What a check says was measured: on the samples that it names, by the count that it gives, or not at all."""

import math
import random
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bntui.probe.causes import Cause, Severity
from bntui.probe.check import check
from bntui.probe.recalibration import recalibrate
from bntui.probe.report import Report
from tests.probe.trained import TRAINING, VALIDATION, Perceptron, fitted


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    return fitted()


def said(report: Report) -> str:
    return " ".join(" ".join(one.evidence) for one in report.verdicts)


class Noisy:
    """A loader that augments with NumPy and Python's own random numbers."""

    def __iter__(self) -> Iterator[Any]:
        for inputs, labels in TRAINING:
            noise = np.random.normal(0.0, 1.0, tuple(inputs.shape))  # noqa: NPY002
            yield inputs + random.random() * torch.from_numpy(noise).float(), labels


def test_the_seed_decides_what_numpy_and_python_draw(trained: nn.Module) -> None:
    reports = []
    for before in (1, 2):
        random.seed(before)
        np.random.seed(before)  # noqa: NPY002
        reports.append(check(trained, VALIDATION, Noisy(), seed=3).to_json())
    assert reports[0] == reports[1]
    assert check(trained, VALIDATION, Noisy(), seed=4).to_json() != reports[0]


def test_layers_are_compared_between_modes_without_labels_too(trained: nn.Module) -> None:
    report = check(trained, [x for x, _ in VALIDATION], [x for x, _ in TRAINING])
    assert not math.isnan(report.layers[0].network_error)


class Sequences(nn.Module):
    """BN over positions: (batch, length, channels) as rows (batch·length, channels)."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.last = nn.BatchNorm1d(10), nn.Linear(10, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        several = inputs[:, None, :].repeat(1, 50, 1)
        rows = self.norm(several.reshape(-1, 10)).reshape(len(inputs), 50, 10)
        outputs: Tensor = self.last(rows.mean(1))
        return outputs


def test_values_are_those_that_a_layer_gets_however_the_model_shapes_them() -> None:
    training = [(x[:4], y[:4]) for x, y in TRAINING]
    report = check(Sequences(), VALIDATION, training)
    assert report.layers[0].values == 200
    assert Cause.FEW_VALUES not in [one.cause for one in report.verdicts]


class Uncalled(Perceptron):
    def forward(self, inputs: Tensor) -> Tensor:
        norm = self.norm
        between = nn.functional.batch_norm(
            self.first(inputs), norm.running_mean, norm.running_var, norm.weight, norm.bias
        )
        outputs: Tensor = self.last(between.relu())
        return outputs


def test_a_model_that_calls_none_of_its_layers_is_undecided(trained: nn.Module) -> None:
    model = Uncalled()
    model.load_state_dict(trained.state_dict())
    report = check(model, VALIDATION, TRAINING)
    assert [one.cause for one in report.verdicts] == [Cause.UNDECIDED]
    assert "calls none of its" in said(report)
    assert report.fresh is None
    assert math.isnan(report.layers[0].mean_gap)


@pytest.mark.parametrize("scored", [False, True])
def test_training_batches_that_are_not_finite_are_named(trained: nn.Module, scored: bool) -> None:
    inputs, labels = TRAINING[0]
    broken = [(inputs.where(torch.arange(64)[:, None] > 0, math.nan), labels), *TRAINING[1:]]

    def metric(outputs: Tensor, labels: Tensor) -> Tensor:
        return -cross_entropy(outputs, labels, reduction="none")

    report = check(trained, VALIDATION, broken, metric=metric if scored else None)
    assert [one.cause for one in report.verdicts] == [Cause.NON_FINITE, Cause.SOUND]
    assert "1 of 16 training batches make what layer norm gets not finite" in said(report)


def test_a_metric_that_is_nan_is_worse_than_any_number(trained: nn.Module) -> None:
    def metric(outputs: Tensor, labels: Tensor) -> Tensor:
        losses = -cross_entropy(outputs, labels, reduction="none")
        return losses if outputs.abs().mean() < 1e3 else losses * math.nan

    model = Perceptron()
    model.load_state_dict(trained.state_dict())
    model.norm.running_var.fill_(1e-12)  # type: ignore[union-attr]
    report = check(model, VALIDATION, TRAINING, metric=metric)
    assert not report.sound
    assert report.running is not None
    assert report.fresh is not None
    assert report.running.score < report.fresh.score


def test_another_model_gets_batches_of_its_own_type(trained: nn.Module) -> None:
    double = Perceptron().double()
    double.load_state_dict(trained.state_dict())
    report = check(trained, VALIDATION, TRAINING, against=double)
    assert report.sound


def test_a_function_may_stand_for_another_model_where_batches_are_dicts(trained: nn.Module) -> None:
    dicts = [[{"inputs": x, "labels": y} for x, y in each] for each in (VALIDATION, TRAINING)]
    report = check(trained, *dicts, against=lambda inputs: trained(inputs) + 1e-6)
    assert report.sound


class Pixels(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.last = nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        outputs: Tensor = self.last(self.norm(images))
        return outputs


def test_sizes_of_outputs_may_differ_between_batches(trained: nn.Module) -> None:
    images = [torch.randn(8, 3, size, size) for size in (6, 8, 6, 8)]
    pairs = [(x, torch.zeros(8, x.shape[2], x.shape[2], dtype=torch.long)) for x in images]
    model = Pixels()
    other = Pixels()
    other.load_state_dict(model.state_dict())
    assert Cause.EXPORTED_DIFFERENTLY not in [
        one.cause for one in check(model, pairs, pairs, against=other).verdicts
    ]


def test_labels_that_are_left_out_are_no_class() -> None:
    torch.manual_seed(0)
    images = torch.randn(8, 16, 3, 8, 8)
    labels = torch.randint(0, 4, (8, 16, 8, 8))
    labels[:, :, 0] = 255
    pairs = list(zip(images, labels, strict=True))
    model = Pixels()
    model.norm.momentum = None
    model.train()
    for one in images:
        model(one)
    assert "one of 4 classes" in said(check(model, pairs, pairs))


def test_start_values_without_training_batches_come_with_their_numbers(trained: nn.Module) -> None:
    model = Perceptron()
    model.load_state_dict(trained.state_dict())
    model.norm.reset_running_stats()
    report = check(model, VALIDATION)
    first = report.verdicts[0]
    assert (first.cause, first.severity) == (Cause.NEVER_UPDATED, Severity.UNSOUND)
    assert "not measured" not in " ".join(first.evidence)
    assert "validation samples themselves" in " ".join(first.evidence)


def test_a_count_of_one_is_singular(trained: nn.Module) -> None:
    model = Perceptron()
    model.load_state_dict(trained.state_dict())
    model.norm.reset_running_stats()
    model.norm.num_batches_tracked.fill_(1)  # type: ignore[union-attr]
    (inputs, labels), *_ = VALIDATION
    report = check(model, [(inputs[:1], labels[:1])], TRAINING)
    told = f"{said(report)} {report}"
    assert "num_batches_tracked says 1 update." in told
    assert "1 sample" in told
    assert not re.search(r"\b1 (updates|samples)\b", told)


def test_batch_mates_matter_in_validation_batches_of_one_too() -> None:
    torch.manual_seed(0)
    images = torch.randn(64, 3, 8, 8)
    model = Pixels()
    model.norm = nn.BatchNorm2d(3, track_running_stats=False)
    pairs = [(x[None], torch.zeros(1, 8, 8, dtype=torch.long)) for x in images]
    report = check(model, pairs, [(images, torch.zeros(64, 8, 8, dtype=torch.long))])
    assert Cause.BATCH_DEPENDENT in [one.cause for one in report.verdicts]


class Graph:
    """What holds tensors that nobody sees, and can't be cut."""

    def __init__(self, nodes: Tensor) -> None:
        self.nodes = nodes

    def to(self, device: Any) -> "Graph":
        return Graph(self.nodes.to(device))


def test_batches_that_cant_be_cut_are_taken_whole(trained: nn.Module) -> None:
    validation, training = ([(y, Graph(x)) for x, y in each] for each in (VALIDATION, TRAINING))

    def metric(outputs: Tensor, batch: Any) -> Tensor:
        right: Tensor = outputs.argmax(1) == batch[0]
        return right.double()

    report = check(
        trained,
        validation,
        training,
        forward=lambda model, batch: model(batch[1].nodes),
        metric=metric,
        samples=100,
    )
    assert report.sound


class Spare(Perceptron):
    """Has a layer that it never calls."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.BatchNorm1d(4)


def test_a_layer_that_is_not_called_has_no_gap(trained: nn.Module) -> None:
    model = Spare()
    model.load_state_dict(trained.state_dict(), strict=False)
    spare = check(model, VALIDATION, TRAINING).layers[-1]
    assert "not called" in spare.remarks
    assert math.isnan(spare.mean_gap)


def test_overfitting_is_not_blamed_on_few_values() -> None:
    """Training samples do as well in eval mode as in training mode: the modes do not differ."""
    torch.manual_seed(0)
    draws = torch.randn(2, 64, 4, 10), torch.randint(0, 2, (2, 64, 4))
    training, validation = (list(zip(x, y, strict=True)) for x, y in zip(*draws, strict=True))
    model = nn.Sequential(nn.BatchNorm1d(10), nn.Linear(10, 512), nn.ReLU(), nn.Linear(512, 2))
    recalibrate(model, training, 64)
    optimizer = torch.optim.Adam(model.eval().parameters(), 3e-3)
    inputs, labels = (torch.cat(each) for each in zip(*training, strict=True))
    for _ in range(100):
        optimizer.zero_grad()
        cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    model.train()
    report = check(model, validation, training, fresh_batches=64)
    assert Cause.OVERFITTING in [one.cause for one in report.verdicts]
    assert report.sound


class Sometimes(Perceptron):
    """Calls its layer a random number of times."""

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = self.first(inputs)
        for _ in range(1 + int(torch.randint(0, 3, ()))):
            outputs = self.norm(outputs)
        found: Tensor = self.last(outputs)
        return found


def test_a_layer_may_be_called_more_often_in_one_pass_than_in_another(trained: nn.Module) -> None:
    model = Sometimes()
    model.load_state_dict(trained.state_dict())
    for seed in range(4):
        check(model, VALIDATION, TRAINING, seed=seed)
