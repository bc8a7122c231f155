"""A run on its thread: every promise of its door, kept by real training on a few digits.

Nothing is timed but against generous limits: tests wait until a snapshot shows what was promised.
"""

import time
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any, NoReturn

import pytest

from bntui.core.config import Observation
from bntui.core.run import Command
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.data import dataset
from bntui.measure import validation
from bntui.measure.budget import Budget
from bntui.measure.evaluation import evaluate
from bntui.train.runner import Runner
from tests.train.running import (
    A_WHILE,
    ENDLESS,
    KNOBS,
    LIMIT,
    Make,
    paused,
    started,
    until,
    until_phase,
    until_update,
)


def test_a_pause_holds_until_the_run_is_resumed(make: Make) -> None:
    runner = started(make())
    runner.pause()
    update = until_phase(runner, Phase.PAUSED).update
    time.sleep(A_WHILE)
    assert runner.snapshot.update == update
    runner.resume()
    until(runner, lambda s: s.phase is Phase.RUNNING and s.update > update)


def test_knobs_are_wanted_until_the_next_update_applies_them(make: Make) -> None:
    runner = paused(make())
    for wanted in (replace(KNOBS, momentum=0.5), replace(KNOBS, momentum=0.25)):
        runner.apply(wanted)
        assert (runner.snapshot.knobs, runner.snapshot.wanted) == (KNOBS, wanted)
    runner.command(Command.PEEK)  # which publishes, and applies nothing
    snapshot = until(runner, lambda s: s.recalibration)
    assert (snapshot.knobs, snapshot.wanted) == (KNOBS, wanted)
    runner.command(Command.STEP)
    snapshot = until(runner, lambda s: s.update == 1)
    assert (snapshot.knobs, snapshot.wanted) == (wanted, None)


def test_a_pause_asked_for_while_a_command_is_answered_shows(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = started(make())
    publish = runner._publish

    def pause_at_the_answer(phase: Phase) -> None:
        publish(phase)
        if runner.snapshot.recalibration:
            runner.pause()

    monkeypatch.setattr(runner, "_publish", pause_at_the_answer)
    runner.command(Command.PEEK)
    until_phase(runner, Phase.PAUSED)


def test_a_run_started_paused_makes_no_update(make: Make) -> None:
    runner = paused(make())
    time.sleep(A_WHILE)
    snapshot = runner.snapshot
    assert (snapshot.phase, snapshot.update, snapshot.epoch) == (Phase.PAUSED, 0, 0)
    assert snapshot.facts is not None
    assert (snapshot.facts.train, snapshot.facts.dataset) == (256, "digits")


def test_a_single_step_is_one_update_and_validates_it(make: Make) -> None:
    runner = paused(make(observation=Observation()))
    for update in (1, 2):
        runner.command(Command.STEP)
        snapshot = until_update(runner, update)
        assert (snapshot.update, snapshot.phase) == (update, Phase.PAUSED)
        assert snapshot.validation is not None
        assert snapshot.validation.update == update
    time.sleep(A_WHILE)
    assert runner.snapshot.update == 2


def test_steps_are_not_lost_when_they_are_asked_for_faster_than_made(make: Make) -> None:
    runner = paused(make())
    for _ in range(5):
        runner.command(Command.STEP)
    until_update(runner, 5)
    time.sleep(A_WHILE)
    assert runner.snapshot.update == 5


def test_a_pause_within_an_evaluation_holds_and_shows_the_update_at_hand(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = evaluate

    def pause_first(*args: Any) -> Any:
        runner.pause()
        return real(*args)

    monkeypatch.setattr(validation, "evaluate", pause_first)
    monkeypatch.setattr(Budget, "allows", lambda *_: True)
    runner = make(observation=Observation())
    runner.start()
    snapshot = until_phase(runner, Phase.PAUSED)
    assert snapshot.update == 1
    assert snapshot.validation is None
    monkeypatch.undo()
    runner.resume()
    until(runner, lambda s: s.phase is Phase.RUNNING and s.validation)


def test_a_branch_that_begins_paused_shows_its_validation(make: Make) -> None:
    runner = started(make())
    runner.apply(replace(KNOBS, learning_rate=0.01))
    checkpoint = until(runner, lambda s: s.checkpoints[-1].update).checkpoints[-1]
    branch = paused(make(checkpoint.config, Observation(), checkpoint))
    snapshot = branch.snapshot
    assert snapshot.validation
    assert snapshot.validation.update == checkpoint.update


@pytest.mark.parametrize("pause_first", [False, True])
def test_a_stop_ends_the_run_s_thread(make: Make, pause_first: bool) -> None:
    runner = started(make())
    if pause_first:
        runner.pause()
        until_phase(runner, Phase.PAUSED)
    runner.stop()
    assert runner.join(LIMIT)
    assert runner.snapshot.phase is Phase.STOPPED
    assert runner.snapshot.update >= 3  # what was reached stays to be seen


def forever(*args: Any, check_stop: Callable[[], None] | None = None, **others: Any) -> NoReturn:
    """Stand in for something long that can be stopped, as loading and evaluating can."""
    check_stop = check_stop or args[-1]
    others.get("report", str)("under way")
    while True:
        check_stop()
        time.sleep(0.005)


def test_a_stop_ends_an_evaluation(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "evaluate", forever)
    runner = make(observation=Observation())
    runner.start()
    until_phase(runner, Phase.RUNNING)
    runner.stop()
    assert runner.join(LIMIT)
    assert runner.snapshot.phase is Phase.STOPPED


def test_a_stop_ends_the_loading_and_so_it_does_when_paused(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "load", forever)
    for start_paused in (False, True):
        runner = make()
        if start_paused:
            runner.pause()
        runner.start()
        until(runner, lambda s: s.phase is Phase.LOADING and s.message == "under way")
        runner.stop()
        assert runner.join(LIMIT)
        assert runner.snapshot.phase is Phase.STOPPED


def test_a_run_never_started_can_be_stopped_and_joined() -> None:
    runner = Runner(RunRequest(ENDLESS))
    runner.stop()
    assert runner.join(LIMIT)


def test_snapshots_are_absolute_and_never_change(make: Make) -> None:
    runner = started(make(observation=Observation()))
    early = runner.snapshot
    losses = early.series["train_loss"].last.tolist()
    late = until(runner, lambda s: s.update > early.update + 10 and s.validation)
    assert early.series["train_loss"].last.tolist() == losses
    assert len(losses) == early.update
    # Whoever skipped those in between misses nothing.
    history = late.series["train_loss"]
    assert history.x.tolist() == list(range(1, late.update + 1))
    assert history.last.tolist()[: len(losses)] == losses
    with pytest.raises(FrozenInstanceError):
        late.update = 0  # type: ignore[misc]


def test_a_snapshot_is_there_before_the_run_is() -> None:
    snapshot = Runner(RunRequest(ENDLESS)).snapshot
    assert (snapshot.phase, snapshot.config, snapshot.knobs) == (Phase.LOADING, ENDLESS, KNOBS)
    assert snapshot.facts is None
