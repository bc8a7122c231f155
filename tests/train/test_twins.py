"""Two runs in lockstep are what they would be alone, and differ in what they should alone."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.run_request import New, RunRequest
from bntui.core.settings import parse_change, parse_twin, twin_of
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.text import ConfigError
from bntui.train.session import Session
from bntui.train.twins import Twins
from tests.train.sessions import snapshot_of

SMALL = RunConfig(train_size=96, width=0.0625, device="cpu", epochs=3, knobs=Knobs(batch_size=16))
LIVE = Observation()
HEADLESS = Observation(live=False)


def session(config: RunConfig, observation: Observation) -> Session:
    return Session(RunRequest(config, observation))


def twins(config: RunConfig, observation: Observation = LIVE) -> Twins:
    return Twins(RunRequest(config, observation), Session)


def finished(run: Session | Twins) -> Snapshot:
    while not run.finished:
        run.train_once(None)
    run.conclude()
    return snapshot_of(run, Phase.FINISHED)


def weights(run: Session) -> list[torch.Tensor]:
    return [*run.trainer.model.parameters(), run.trainer.estimators.rows]


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_twins_without_a_difference_stay_the_same_bit_for_bit() -> None:
    run = twins(replace(SMALL, twin="momentum=0.99"))
    snapshot = finished(run)
    assert snapshot.twin
    assert same(weights(run._one), weights(run._other))
    for name in ("train_loss", "val_acc", "fresh_loss"):
        mine, theirs = snapshot.series[name], snapshot.twin.series[name]
        assert len(mine) > 1
        assert mine.x.tolist() == theirs.x.tolist()
        assert mine.last.tolist() == theirs.last.tolist()


@pytest.mark.parametrize("twin", ["momentum=0.5", "lr=0.01", "norm=none", "seed=4", "batch=32"])
def test_each_is_what_it_would_be_alone(twin: str) -> None:
    config = replace(SMALL, twin=twin)
    run = twins(config, HEADLESS)
    snapshot = finished(run)
    assert snapshot.config.twin == twin
    alone = session(replace(config, twin=""), HEADLESS)
    finished(alone)
    assert same(weights(run._one), weights(alone))
    other = session(replace(twin_of(config), epochs=9), HEADLESS)
    for _ in range(snapshot.update):
        other.train_once(None)
    assert same(weights(run._other), weights(other))


def test_both_are_seen_at_the_same_updates() -> None:
    run = twins(replace(SMALL, twin="norm=none"))
    for _ in range(9):
        run.train_once(None)
    snapshot = snapshot_of(run, Phase.RUNNING)
    assert snapshot.twin
    assert snapshot.series["val_acc"].x.tolist() == snapshot.twin.series["val_acc"].x.tolist()
    assert snapshot.update == snapshot.twin.update == 9


def test_a_live_change_reaches_both_but_for_their_difference() -> None:
    run = twins(replace(SMALL, twin="momentum=0.9"))
    run.train_once(Knobs(batch_size=8, momentum=0.5, learning_rate=0.01))
    snapshot = snapshot_of(run, Phase.RUNNING)
    assert snapshot.twin
    assert snapshot.knobs == Knobs(batch_size=8, momentum=0.5, learning_rate=0.01)
    assert snapshot.twin.knobs == Knobs(batch_size=8, momentum=0.9, learning_rate=0.01)


def test_planned_changes_reach_both() -> None:
    plan = (parse_change("2:lr=0.01"), parse_change("4:recalibrate"))
    snapshot = finished(twins(replace(SMALL, twin="batch=32", at=plan)))
    assert snapshot.twin
    marks = [
        [(mark.update, mark.change) for mark in one.marks] for one in (snapshot, snapshot.twin)
    ]
    assert marks[0] == marks[1] == [(2, "lr=0.01"), (4, "recalibrate")]


def test_a_twin_that_is_in_mid_epoch_at_the_end_reports_the_part() -> None:
    run = twins(replace(SMALL, epochs=1, twin="batch=8"), HEADLESS)
    reports = [report for _ in range(6) for report in run.train_once(None)]
    assert [(report.twin, report.update) for report in reports] == [("", 6), ("batch=8", 6)]


def test_a_planned_change_leaves_the_difference_alone() -> None:
    plan = (parse_change("2:momentum=0.5"), parse_change("2:lr=0.01"))
    snapshot = finished(twins(replace(SMALL, twin="momentum=0.9", at=plan)))
    assert snapshot.twin
    assert (snapshot.knobs.momentum, snapshot.twin.knobs.momentum) == (0.5, 0.9)
    assert snapshot.twin.knobs.learning_rate == 0.01


def test_what_the_twin_differs_in_is_not_for_the_machine_to_choose() -> None:
    left_open: list[frozenset[str]] = []

    def make(request: RunRequest) -> Session:
        left_open.append(request.left_open)
        return session(request.config, HEADLESS)

    origin = New(frozenset({"width", "batch_size"}))
    Twins(RunRequest(replace(SMALL, twin="width=0.125"), HEADLESS, origin), make)
    assert left_open == [origin.left_open, frozenset({"batch_size"})]


def test_reports_say_whose_they_are() -> None:
    run = twins(replace(SMALL, twin="momentum=0.5"), HEADLESS)
    reports = [report for _ in range(6) for report in run.train_once(None)]
    assert [(report.epoch, report.twin) for report in reports] == [(1, ""), (1, "momentum=0.5")]
    assert reports[0].loss == reports[1].loss
    assert reports[0].val_loss != reports[1].val_loss


def test_each_counts_its_own_time() -> None:
    run = twins(replace(SMALL, twin="norm=none"))
    snapshot = finished(run)
    assert snapshot.twin
    budgets = [one.observer.budget for one in (run._one, run._other)]
    for one, budget in zip((snapshot, snapshot.twin), budgets, strict=True):
        assert budget.training > 0
        assert one.seconds <= budget.total


@pytest.mark.parametrize(
    "text", ["", "momentum", "momentum=", "momentum=2", "width", "pause=1", "pace=5"]
)
def test_a_twin_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_twin(text)


def test_a_twin_is_written_as_it_is_read() -> None:
    for text in ("momentum=0.9", "norm=none", "norm-layers=3", "batch-schedule=x2/1", "lr=0.01"):
        assert parse_twin(text) == text
    assert twin_of(replace(SMALL, twin="norm-layers=3")) == replace(SMALL, norm_layers=3)


def test_a_snapshot_in_the_middle_of_the_others_work_leaves_it_its_turn() -> None:
    run = twins(replace(SMALL, twin="momentum=0.9"), HEADLESS)
    run.train_once(None)
    mine, theirs = run._one.observer.budget, run._other.observer.budget
    now = 0.0
    for budget in (mine, theirs):
        budget._now = lambda: now
        budget.begin()
    trained = mine.training
    with run._others_turn() as other:
        now = 5.0
        snapshot_of(run, Phase.PAUSED)
        assert run.observer is other.observer
        run.observer.budget.begin()  # as after a pause
        now = 7.0
        theirs.observed("validation")
    assert mine.training == trained
    assert theirs.price("validation") == 2.0


@pytest.mark.parametrize("twin", ["", "momentum=0.5"])
def test_asking_for_a_snapshot_changes_nothing(twin: str) -> None:
    config = replace(SMALL, twin=twin)
    run = twins(config) if twin else session(config, LIVE)
    run.train_once(None)
    sides = [run._one, run._other] if isinstance(run, Twins) else [run]

    def state() -> object:
        return deepcopy(
            [
                (one.observer.budget.__dict__, one.trainer.update, one.trainer._taken)
                for one in sides
            ]
        )

    before = state()
    for _ in range(3):
        run.snapshot(Phase.RUNNING)
    assert state() == before
