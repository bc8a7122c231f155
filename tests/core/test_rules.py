"""What schedules and rules make of the knobs, against the formulas written out."""

import math
from dataclasses import replace

import pytest
import torch

from bntui.core import rules
from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.parsers import parse_batch_schedule
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.core.text import ConfigError
from bntui.measure.estimators import CORRECTED, CUMULATIVE, OWN, WARM_UP, Estimators
from bntui.measure.statistics import attach
from bntui.train.optimisers import SGD_MOMENTUM, optimiser
from bntui.train.session import Session
from bntui.train.trainer import Trainer
from tests.train.sessions import snapshot_of

SMALL = RunConfig(train_size=96, width=0.0625, device="cpu", epochs=4, knobs=Knobs(batch_size=16))
NOTHING = Observation(live=False, epoch_ends=False, epoch_fresh=False, hindsight=False)


def session(config: RunConfig) -> Session:
    return Session(RunRequest(config, NOTHING))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x2/1", "x2/1"),
        ("X1.5 / 3", "x1.5/3"),
        ("x2", "x2/1"),
        ("5:64, 1:16", "1:16,5:64"),
        ("none", ""),
    ],
)
def test_a_schedule_is_written_in_its_shortest_form(text: str, written: str) -> None:
    assert parse_batch_schedule(text) == written
    assert parse_batch_schedule(written) == written


@pytest.mark.parametrize(
    "text", ["x1", "x0.5/1", "x2/0", "x/2", "3", "0:16", "1:0", "1:16,", "1:2:3", "xnan"]
)
def test_a_schedule_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="batch schedule"):
        parse_batch_schedule(text)


def test_a_factor_acts_every_so_many_epochs_and_points_at_theirs() -> None:
    sizes = [16]
    for epoch in range(1, 8):
        sizes.append(rules.scheduled_batch("x2/3", epoch, sizes[-1]))
    assert sizes[1:] == [16, 16, 16, 32, 32, 32, 64]
    assert [rules.scheduled_batch("1:8,3:20", epoch, 16) for epoch in (1, 2, 3)] == [8, 16, 20]
    assert rules.scheduled_batch("", 5, 16) == 16


@pytest.mark.parametrize(("rule", "factor"), [("none", 1.0), ("sqrt", 8.0), ("linear", 64.0)])
def test_the_rate_grows_with_the_batch_and_rises_at_first(rule: str, factor: float) -> None:
    config = replace(SMALL, lr_rule=rule, lr_warmup=4)
    knobs = Knobs(batch_size=4096, learning_rate=0.001)
    rates = [rules.learning_rate(config, knobs, update) for update in range(6)]
    assert rates == pytest.approx([0.001 * factor * share for share in (0.25, 0.5, 0.75, 1, 1, 1)])


def test_a_scaled_momentum_remembers_as_many_images() -> None:
    large, small = Knobs(estimator="scaled", batch_size=256), Knobs(batch_size=256)
    assert rules.momentum(SMALL, large) == pytest.approx(0.99**4)
    assert rules.momentum(SMALL, small) == 0.99


def test_the_knob_for_a_momentum_is_the_scaled_one_s_root() -> None:
    scaled = Knobs(estimator="scaled", batch_size=256)
    knob = rules.knob_for(SMALL, scaled, 0.8)
    assert knob == 0.946  # as many digits as its distance to 1 needs
    assert rules.momentum(SMALL, replace(scaled, momentum=knob)) == pytest.approx(0.8, abs=0.005)
    assert rules.knob_for(SMALL, Knobs(), 0.8) == 0.8


def test_a_scaled_momentum_never_rounds_to_one() -> None:
    knobs = Knobs(estimator="scaled", batch_size=1, momentum=math.nextafter(1.0, 0.0))
    momentum = rules.momentum(RunConfig(), knobs)
    assert momentum < 1.0
    estimators = Estimators(attach(torch.nn.Sequential(torch.nn.BatchNorm1d(2)), torch.ones(1, 2)))
    estimators.update(torch.full((2, 2), 3.0), momentum, knobs.estimator)
    assert estimators[CORRECTED].tolist() == [[3.0, 3.0], [3.0, 3.0]]


def test_ghost_bn_moves_its_statistics_once_for_each_sub_batch() -> None:
    knobs = Knobs(batch_size=100)
    each = replace(SMALL, norm="ghost", ghost_batch=32)
    once = replace(each, ghost_updates="once")
    assert rules.kept(each, knobs) == pytest.approx(0.99**4)
    assert rules.kept(once, knobs) == rules.kept(SMALL, knobs) == 0.99
    scaled = replace(knobs, estimator="scaled")
    assert rules.momentum(each, scaled) == pytest.approx(0.99**0.5)
    assert rules.momentum(once, scaled) == pytest.approx(0.99 ** (100 / 64))


def test_a_growing_batch_marks_its_steps_and_takes_every_image_once() -> None:
    run = session(replace(SMALL, batch_schedule="x2/1"))
    while not run.finished:
        run.train_once(None)
    snapshot = snapshot_of(run, Phase.RUNNING)
    assert [(mark.update, mark.label) for mark in snapshot.marks] == [
        (6, "batch 16→32"),
        (9, "batch 32→64"),
        (11, "batch 64→96"),
    ]
    assert all(mark.change == "" for mark in snapshot.marks)  # the option repeats them
    assert (snapshot.update, snapshot.images) == (12, 4 * 96)
    assert snapshot.knobs.batch_size == 96


def test_a_batch_that_is_turned_where_the_schedule_acts_is_a_change_of_its_own() -> None:
    run = session(replace(SMALL, batch_schedule="x2/1"))
    for _ in range(6):
        run.train_once(None)
    run.train_once(replace(run.knobs, batch_size=24))
    snapshot = snapshot_of(run, Phase.RUNNING)
    assert snapshot.knobs.batch_size == 24
    assert [(mark.update, mark.change) for mark in snapshot.marks] == [(6, "batch=24")]


def test_a_schedule_that_begins_at_once_is_the_batch_to_begin_with() -> None:
    snapshot = snapshot_of(session(replace(SMALL, batch_schedule="1:8,3:32")), Phase.PAUSED)
    assert (snapshot.knobs.batch_size, snapshot.updates_per_epoch, snapshot.marks) == (8, 12, ())


def test_the_rule_s_rate_reaches_the_optimiser(monkeypatch: pytest.MonkeyPatch) -> None:
    run = session(replace(SMALL, lr_rule="sqrt", base_batch=4, lr_warmup=2))
    seen: list[float] = []
    monkeypatch.setattr(run.trainer.optimiser, "update", seen.append)
    for _ in range(3):
        run.train_once(None)
    assert seen == pytest.approx([0.001, 0.002, 0.002])


def test_sgd_is_the_formula() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    subject = optimiser("sgd", [weight])
    expected, velocity = weight.detach().clone(), torch.zeros(2, dtype=torch.float64)
    for step, rate in enumerate((0.1, 0.2, 0.05), 1):
        gradient = torch.tensor([1.0, step], dtype=torch.float64)
        weight.grad = gradient.clone()
        subject.update(rate)
        velocity = SGD_MOMENTUM * velocity + gradient
        expected = expected - rate * velocity
        torch.testing.assert_close(weight.detach(), expected)


def test_an_sgd_run_learns() -> None:
    run = session(
        replace(SMALL, optimizer="sgd", epochs=8, knobs=Knobs(batch_size=16, learning_rate=0.02))
    )
    while not run.finished:
        run.train_once(None)
    losses = snapshot_of(run, Phase.RUNNING).series["smooth_loss"].last
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("own", [CORRECTED, CUMULATIVE, WARM_UP])
def test_the_own_row_can_be_any_estimator_s(own: str) -> None:
    subject, batches = estimators()
    for batch in batches:
        subject.update(batch, 0.9, own)
    assert torch.equal(subject[OWN], subject[own])
    assert subject.start_left == 0.0


@pytest.mark.parametrize("own", [CORRECTED, CUMULATIVE, WARM_UP])
def test_turning_to_an_estimator_goes_on_from_its_own_history(own: str) -> None:
    subject, batches = estimators()
    for batch in batches[:5]:
        subject.update(batch, 0.9)
    assert subject.start_left == pytest.approx(0.9**5)
    for batch in batches[5:]:
        subject.update(batch, 0.9, own)
    assert torch.equal(subject[OWN], subject[own])
    assert subject.start_left == 0.0


def test_turning_back_to_momentum_goes_on_from_what_is_there() -> None:
    subject, batches = estimators()
    for batch in batches[:5]:
        subject.update(batch, 0.9, CUMULATIVE)
    average = torch.stack(batches[:5]).mean(0)
    subject.update(batches[5], 0.9)
    torch.testing.assert_close(subject[OWN], 0.9 * average + 0.1 * batches[5])


def estimators() -> tuple[Estimators, list[torch.Tensor]]:
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(3))
    buffers = attach(model, torch.zeros(1, 3))
    generator = torch.Generator().manual_seed(0)
    batches = [torch.rand(2, 3, generator=generator) for _ in range(9)]
    return Estimators(buffers), batches


def test_scaled_momentum_moves_the_own_row_and_not_the_constant_ones() -> None:
    from bntui.data import dataset

    train = dataset.load("digits", train_size=64, device=torch.device("cpu"))
    plain, scaled = (
        Trainer(replace(SMALL, base_batch=4, knobs=knobs), train, torch.device("cpu"))
        for knobs in (Knobs(batch_size=16), Knobs(batch_size=16, estimator="scaled"))
    )
    for subject in (plain, scaled):
        for _ in range(3):
            subject.step(subject.config.knobs)
    assert torch.equal(plain.estimators["0.9"], scaled.estimators["0.9"])
    assert scaled.momentum == pytest.approx(0.99**4)
    assert scaled.estimators.start_left == pytest.approx(0.99**12)
    assert math.isclose(plain.estimators.start_left, 0.99**3)
