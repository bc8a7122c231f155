"""One run, update by update: reproducible, fair to every image, and calm when it diverges."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.parsers import MAX_LEARNING_RATE
from bntui.core.run_request import RunRequest
from bntui.core.settings import parse_change
from bntui.core.snapshot import Phase
from bntui.data import dataset
from bntui.data.dataset import Dataset
from bntui.measure.budget import Budget
from bntui.measure.estimators import ESTIMATORS
from bntui.train.session import Session
from bntui.train.trainer import PENDING, Trainer, _first_broken
from tests.train.sessions import snapshot_of

CPU = torch.device("cpu")
SMALL = RunConfig(train_size=128, width=0.0625, device="cpu", knobs=Knobs(batch_size=16))
EVERYTHING = Observation(
    live=True, epoch_ends=True, epoch_fresh=True, hindsight=True, noise_scale=True
)
NOTHING = Observation(live=False, epoch_ends=False, epoch_fresh=False, hindsight=False)
OVERFLOWING = 1e30
"""A learning rate after whose first step float32 overflows."""


def session(config: RunConfig = SMALL, observation: Observation = NOTHING) -> Session:
    return Session(RunRequest(config, observation))


def trainer(images: int, *, batch_norm: bool = True) -> Trainer:
    """Return a trainer on a few digits, validated on the same."""
    train = dataset.load("digits", train_size=images, device=CPU).train
    config = replace(SMALL, norm="batch" if batch_norm else "none")
    return Trainer(config, Dataset("few", train, train, tuple("0123456789")), CPU)


def at_rate(learning_rate: float) -> RunConfig:
    return replace(SMALL, knobs=replace(SMALL.knobs, learning_rate=learning_rate))


def weights_after(updates: int, config: RunConfig, observation: Observation) -> tuple[Tensor, ...]:
    run = session(config, observation)
    for _ in range(updates):
        run.train_once(None)
    if observation.live:
        snapshot = snapshot_of(run, Phase.RUNNING)
        assert snapshot.validation is not None  # something was observed
        assert snapshot.hindsight is not None
        assert snapshot.noise is not None
    return tuple(parameter.detach() for parameter in run.trainer.model.parameters())


def same(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_a_seed_gives_the_same_weights_bit_for_bit_whatever_is_observed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Budget, "allows", lambda *_: True)  # observe after every update
    weights = weights_after(20, SMALL, NOTHING)
    assert same(weights, weights_after(20, SMALL, NOTHING))
    assert same(weights, weights_after(20, SMALL, EVERYTHING))


def test_recalibrating_changes_no_weight() -> None:
    plain, recalibrated = session(), session()
    for run in (plain, recalibrated):
        for update in range(6):
            if run is recalibrated and update == 3:
                run.recalibrate(apply=True)
            run.train_once(None)
    assert same(*(tuple(run.trainer.model.parameters()) for run in (plain, recalibrated)))


def test_another_seed_gives_other_weights_and_another_order() -> None:
    one, other = (session(replace(SMALL, seed=seed)).trainer for seed in (0, 1))
    assert not torch.equal(one.model.conv1.weight, other.model.conv1.weight)
    assert not torch.equal(one._order, other._order)


def test_a_batch_size_turned_within_an_epoch_still_takes_each_image_once() -> None:
    subject = trainer(100)
    for index, image in enumerate(subject.dataset.train.images):
        image[0, 0, 0] = index  # to know it by
    seen: list[int] = []
    subject.model.register_forward_pre_hook(
        lambda _, inputs: seen.extend(inputs[0][:, 0, 0, 0].int().tolist())
    )
    for _ in range(2):
        seen.clear()
        ended = [subject.step(Knobs(batch_size=size)) for size in (16, 1, 40, 7, 30, 30)]
        assert ended == [False] * 5 + [True]
        assert sorted(seen) == list(range(100))
        subject.begin_epoch()
    assert subject.images == 200


def test_an_epoch_s_averages_weigh_batches_by_their_images() -> None:
    subject = trainer(25)
    for _ in range(3):
        subject.step(Knobs(batch_size=10))
    results = subject.take_results()
    end = subject.epoch_so_far()
    sizes = (10, 10, 5)
    loss = sum(size * result.loss for size, result in zip(sizes, results, strict=True)) / 25
    accuracy = sum(size * result.accuracy for size, result in zip(sizes, results, strict=True)) / 25
    assert end.epoch == 1
    assert end.loss == pytest.approx(loss)
    assert end.accuracy == pytest.approx(accuracy)
    assert [result.update for result in results] == [1, 2, 3]
    subject.begin_epoch()
    assert not subject.mid_epoch
    assert subject.epoch_so_far().epoch == 2


@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_last_batch_of_one_image_trains(batch_norm: bool) -> None:
    subject = trainer(17, batch_norm=batch_norm)
    subject.step(Knobs(batch_size=16))
    before = subject.model.dense2.bias.detach().clone()
    assert subject.step(Knobs(batch_size=16))
    assert not torch.equal(subject.model.dense2.bias, before)
    assert all(math.isfinite(result.loss) for result in subject.take_results())
    assert all(parameter.isfinite().all() for parameter in subject.model.parameters())


def test_a_run_without_batch_norm_has_empty_rows_and_trains() -> None:
    subject = trainer(32, batch_norm=False)
    subject.step(Knobs(batch_size=16))
    assert subject.buffers.names == ()
    assert subject.estimators.rows.shape == (len(ESTIMATORS), 2, 0)
    run = session(replace(SMALL, norm="none"), EVERYTHING)
    (report,) = [report for _ in range(8) for report in run.train_once(None)]
    assert report.val_loss == report.val_loss_fresh
    assert report.layers == ()
    run.recalibrate(apply=True)
    assert "no batch norm" in snapshot_of(run, Phase.RUNNING).message


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("observation", [NOTHING, EVERYTHING], ids=["nothing", "everything"])
def test_a_run_that_overflows_goes_on_and_says_when_and_where(
    batch_norm: bool, observation: Observation
) -> None:
    config = replace(at_rate(OVERFLOWING), norm="batch" if batch_norm else "none")
    run = session(config, observation)
    for _ in range(10):
        run.train_once(None)
    snapshot = snapshot_of(run, Phase.RUNNING)
    assert snapshot.divergence is not None
    assert snapshot.divergence.update == 2
    assert snapshot.divergence.layer == ("conv1_bn" if batch_norm else "loss")
    assert [mark.label for mark in snapshot.marks] == ["diverged"]
    assert math.isnan(snapshot.series["train_loss"].latest)
    assert snapshot.report is not None
    assert math.isnan(snapshot.report.loss)


def test_the_highest_learning_rate_raises_nothing() -> None:
    run = session(at_rate(MAX_LEARNING_RATE), EVERYTHING)
    for _ in range(10):
        run.train_once(None)
    snapshot = snapshot_of(run, Phase.RUNNING)
    assert snapshot.update == 10
    assert snapshot.divergence is not None


def test_results_wait_for_as_long_as_there_is_room() -> None:
    subject = trainer(2)
    subject.update = PENDING - 2  # as if these had been taken
    subject._taken = 0
    for waiting in (False, True):
        if subject.step(Knobs(batch_size=1)):
            subject.begin_epoch()
        assert subject.must_take_results is waiting
    assert len(subject.take_results()) == PENDING
    assert not subject.must_take_results
    assert subject.take_results() == []


def test_planned_changes_are_made_after_as_many_updates() -> None:

    plan = ("4:recalibrate", "2:momentum=0.5", "2:batch=8", "7:lr=0.01")
    run = session(replace(SMALL, at=tuple(map(parse_change, plan))))
    seen = []
    for _ in range(8):
        run.train_once(None)
        seen.append((run.knobs.momentum, run.knobs.batch_size, run.knobs.learning_rate))
    assert seen == [(0.99, 16, 1e-3)] * 2 + [(0.5, 8, 1e-3)] * 5 + [(0.5, 8, 0.01)]
    marks = snapshot_of(run, Phase.RUNNING).marks
    assert [mark.update for mark in marks] == [2, 2, 4, 7]
    # A mark holds what plans it again.
    again = tuple(parse_change(f"{mark.update}:{mark.change}") for mark in marks)
    assert set(again) == set(map(parse_change, plan))
    assert run.trainer.estimators.start_left == 0.0


@pytest.mark.parametrize(
    ("means", "variances", "found"),
    [
        ([0.0, -1.0, 2.0], [1.0, 0.0, 4.0], (0.0, None)),
        ([0.0, math.nan, math.nan], [1.0, 1.0, 1.0], (1.0, 1)),
        ([0.0, 1.0, 2.0], [1.0, math.inf, math.nan], (1.0, 1)),
        ([0.0, 1.0, -math.inf], [1.0, 1.0, math.inf], (1.0, 2)),
    ],
)
def test_the_first_channel_with_a_statistic_that_is_not_finite(
    means: list[float], variances: list[float], found: tuple[float, int | None]
) -> None:
    broken, channel = _first_broken(torch.tensor([means, variances]))
    assert (float(broken), int(channel) if broken else None) == found


def test_without_statistics_nothing_is_broken() -> None:
    broken, _ = _first_broken(torch.empty(2, 0))
    assert not broken
