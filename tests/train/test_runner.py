"""A run on its thread: every promise of its door, kept by real training on a few digits.

Nothing is timed but against generous limits: tests wait until a snapshot shows what was promised.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, replace
from typing import Any, NoReturn

import pytest

from bntui.core.config import Change, Knobs, Observation, RunConfig
from bntui.core.run import Command
from bntui.core.run_request import Branch, New, RunRequest
from bntui.core.snapshot import Checkpoint, EpochReport, Phase, Snapshot
from bntui.core.text import ConfigError
from bntui.data import dataset
from bntui.measure import validation
from bntui.measure.budget import Budget
from bntui.measure.evaluation import evaluate
from bntui.train.runner import Runner
from bntui.train.trainer import Trainer

LIMIT = 30.0
"""Seconds after which a promise counts as broken."""
A_WHILE = 0.2
"""Seconds in which nothing should happen."""

KNOBS = Knobs(batch_size=32)
ENDLESS = RunConfig(train_size=256, width=0.0625, device="cpu", epochs=100_000, knobs=KNOBS)
SHORT = replace(ENDLESS, train_size=64, epochs=1)
"""Two updates an epoch."""
UNOBSERVED = Observation(live=False, epoch_ends=False, epoch_fresh=False)

Make = Callable[..., Runner]


@pytest.fixture
def make() -> Iterator[Make]:
    """Return a maker of runners, all of which are stopped when the test is over."""
    runners: list[Runner] = []

    def new(
        config: RunConfig = ENDLESS,
        observation: Observation = UNOBSERVED,
        begin: Checkpoint | None = None,
    ) -> Runner:
        origin = Branch(begin) if begin else New()
        runners.append(Runner(RunRequest(config, observation, origin)))
        return runners[-1]

    yield new
    for runner in runners:
        runner.stop()
        assert runner.join(LIMIT)


def until(runner: Runner, condition: Callable[[Snapshot], object]) -> Snapshot:
    """Return the first snapshot that meets a condition."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        snapshot = runner.snapshot
        if condition(snapshot):
            return snapshot
        if snapshot.phase is Phase.FAILED:
            break
        time.sleep(0.002)
    snapshot = replace(runner.snapshot, series={}, validation=None, reports=())
    pytest.fail(f"still waiting: {snapshot}")


def until_phase(runner: Runner, phase: Phase) -> Snapshot:
    return until(runner, lambda snapshot: snapshot.phase is phase)


def until_update(runner: Runner, update: int) -> Snapshot:
    return until(runner, lambda snapshot: snapshot.update >= update)


def started(runner: Runner) -> Runner:
    runner.start()
    until_update(runner, 3)
    return runner


def paused(runner: Runner) -> Runner:
    runner.pause()
    runner.start()
    until_phase(runner, Phase.PAUSED)
    return runner


# Pause, step, resume, stop


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


# Knobs


def test_knobs_show_in_the_snapshot_only_once_they_are_applied(make: Make) -> None:
    runner = paused(make())
    wanted = Knobs(batch_size=8, momentum=0.5, learning_rate=0.01)
    runner.apply(wanted)
    time.sleep(A_WHILE)
    assert runner.snapshot.knobs == KNOBS
    runner.command(Command.STEP)
    snapshot = until_update(runner, 1)
    assert snapshot.knobs == wanted
    assert snapshot.images == 8
    assert snapshot.updates_per_epoch == 32
    assert [mark.label for mark in snapshot.marks] == [
        "batch 32→8",
        "momentum 0.99→0.5",
        "lr 0.001→0.01",
    ]
    assert {mark.update for mark in snapshot.marks} == {0}


def test_turning_a_knob_to_where_it_is_leaves_no_mark(make: Make) -> None:
    runner = paused(make())
    runner.apply(KNOBS)
    runner.command(Command.STEP)
    assert until_update(runner, 1).marks == ()


def test_a_batch_larger_than_the_training_set_is_clipped_with_a_notice(make: Make) -> None:
    runner = paused(make(replace(SHORT, knobs=Knobs(batch_size=4096))))
    snapshot = runner.snapshot
    assert snapshot.config.knobs.batch_size == snapshot.knobs.batch_size == 64
    assert "4096" in snapshot.message
    assert "64 training images" in snapshot.message
    runner.apply(replace(snapshot.knobs, batch_size=65))
    runner.command(Command.STEP)
    snapshot = until_update(runner, 1)
    assert (snapshot.knobs.batch_size, snapshot.images, snapshot.marks) == (64, 64, ())
    assert "65" in snapshot.message


def test_a_pace_is_not_exceeded(make: Make) -> None:
    runner = paused(make(replace(ENDLESS, knobs=replace(KNOBS, pace=10.0))))
    begun = time.monotonic()
    runner.resume()
    last = until_update(runner, 5).update
    assert time.monotonic() - begun > (last - 1) / 10.0


SLOW = replace(ENDLESS, knobs=replace(KNOBS, pace=1.0 / (3.0 * LIMIT)))
"""Whoever waits for its pace waits in vain."""


def test_a_slow_pace_delays_neither_pause_nor_step_nor_stop(make: Make) -> None:
    runner = make(SLOW)
    runner.start()
    until_update(runner, 1)
    runner.pause()
    until_phase(runner, Phase.PAUSED)
    runner.command(Command.STEP)
    until_update(runner, 2)
    runner.resume()
    until_update(runner, 3)
    runner.stop()
    assert runner.join(LIMIT)


def test_raising_the_pace_acts_at_once(make: Make) -> None:
    runner = make(SLOW)
    runner.start()
    until_update(runner, 1)
    runner.apply(KNOBS)
    until_update(runner, 5)


def test_raising_the_pace_during_an_update_is_not_missed(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Trainer.step

    def raise_pace(trainer: Trainer, knobs: Knobs) -> bool:
        if trainer.update == 0:
            runner.apply(KNOBS)
        return real(trainer, knobs)

    monkeypatch.setattr(Trainer, "step", raise_pace)
    runner = make(SLOW)
    runner.start()
    until_update(runner, 5)


# Finishing


@pytest.mark.parametrize(
    "config", [SHORT, replace(ENDLESS, steps=2)], ids=["by epochs", "by steps"]
)
def test_a_finished_run_trains_as_many_again_when_resumed(make: Make, config: RunConfig) -> None:
    runner = make(config, Observation())
    runner.start()
    for update in (2, 4, 6):
        snapshot = until(runner, lambda s: s.phase is Phase.FINISHED and s.update >= update)  # noqa: B023
        assert snapshot.update == update
        assert snapshot.validation is not None
        assert snapshot.validation.update == update
        assert snapshot.report is not None
        assert snapshot.report.update == update
        time.sleep(A_WHILE / 4)
        assert runner.snapshot.update == update
        runner.resume()


def test_a_step_of_a_finished_run_begins_the_next_epochs_and_pauses_in_them(make: Make) -> None:
    runner = make(SHORT)
    runner.start()
    assert until_phase(runner, Phase.FINISHED).epochs == 1
    runner.command(Command.STEP)
    snapshot = until_update(runner, 3)
    assert (snapshot.phase, snapshot.epoch, snapshot.epochs) == (Phase.PAUSED, 2, 2)
    runner.command(Command.STEP)
    assert until_update(runner, 4).phase is Phase.FINISHED


def test_steps_to_the_end_make_what_is_planned_for_it(make: Make) -> None:
    planned = replace(SHORT, at=(Change(2, "recalibrate"),))
    runner = make(planned, Observation())
    runner.pause()
    runner.start()
    runner.command(Command.STEP)
    runner.command(Command.STEP)
    snapshot = until_phase(runner, Phase.FINISHED)
    assert (snapshot.update, [mark.label for mark in snapshot.marks]) == (2, ["recalibrated"])
    assert snapshot.validation is not None
    assert snapshot.validation.update == 2


def test_every_epoch_is_reported_once_and_in_order() -> None:
    reports: list[EpochReport] = []
    config = replace(SHORT, epochs=3, knobs=Knobs(batch_size=24))
    runner = Runner(
        RunRequest(config, UNOBSERVED), on_report=lambda report, _: reports.append(report)
    )
    runner.start()
    until_phase(runner, Phase.FINISHED)
    runner.stop()
    assert runner.join(LIMIT)
    assert [(report.epoch, report.update) for report in reports] == [(1, 3), (2, 6), (3, 9)]


# Looking and curing

STALE = replace(
    ENDLESS, train_size=2000, width=0.125, steps=40, knobs=replace(KNOBS, batch_size=100)
)


def test_recalibrating_a_finished_run_cures_its_validation(make: Make) -> None:
    runner = make(STALE, Observation())
    runner.start()
    sick = until_phase(runner, Phase.FINISHED).validation
    assert sick is not None
    assert sick.running.accuracy < sick.fresh.accuracy - 0.2

    runner.command(Command.PEEK)
    snapshot = until(runner, lambda s: s.recalibration)
    peek = snapshot.recalibration
    assert peek is not None
    assert not peek.applied
    assert peek.after > peek.before + 0.2
    assert snapshot.validation == sick
    assert snapshot.marks == ()

    runner.command(Command.RECALIBRATE)
    snapshot = until(runner, lambda s: s.recalibration is not peek)
    cured = snapshot.validation
    assert snapshot.phase is Phase.FINISHED
    assert cured is not None
    assert cured.running.accuracy == pytest.approx(cured.fresh.accuracy, abs=0.05)
    assert {layer.start_left for layer in cured.layers} == {0.0}
    assert [mark.label for mark in snapshot.marks] == ["recalibrated"]
    # The map's own row is that of the statistics at hand, too.
    hindsight = snapshot.hindsight
    assert hindsight is not None
    assert hindsight.updates[-1] == cured.update
    assert hindsight.own[-1] == pytest.approx(cured.running.accuracy, abs=0.05)


def test_what_if_answers_for_every_estimator_while_paused(make: Make) -> None:
    runner = paused(make())
    runner.command(Command.STEP)
    runner.command(Command.WHAT_IF)
    what_if = until(runner, lambda s: s.what_if).what_if
    assert what_if is not None
    assert what_if.updates.tolist() == [1.0]
    assert what_if.accuracy.shape == (len(what_if.names), 1)


def test_channels_are_exchanged_while_paused(make: Make) -> None:
    runner = paused(make(observation=Observation()))
    runner.command(Command.STEP)
    validation = until(runner, lambda s: s.validation).validation
    runner.command(Command.CHANNELS)
    found = until(runner, lambda s: s.channel_exchanges).channel_exchanges
    assert found is not None
    assert validation is not None
    assert found.update == 1
    assert {part.layer for part in found.parts} == {layer.name for layer in validation.layers}


# Failing


def test_an_exception_becomes_a_failure_with_its_traceback(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Trainer.step

    def fail_third(trainer: Trainer, knobs: Knobs) -> bool:
        if trainer.update == 2:
            raise RuntimeError("out of luck")
        return real(trainer, knobs)

    monkeypatch.setattr(Trainer, "step", fail_third)
    runner = make()
    runner.start()
    assert runner.join(LIMIT)
    snapshot = runner.snapshot
    assert (snapshot.phase, snapshot.message) == (Phase.FAILED, "RuntimeError: out of luck")
    assert "in fail_third" in snapshot.traceback
    assert snapshot.facts is not None
    # The door stays usable.
    runner.resume()
    runner.apply(KNOBS)
    runner.command(Command.STEP)
    runner.pause()


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (replace(ENDLESS, device="cuda:99"), "'cuda:99'"),
        (replace(ENDLESS, train_size=60_000), "60,000"),
        (replace(ENDLESS, dataset="mnist", data_dir="/nowhere"), "/nowhere"),
    ],
    ids=["device", "train size", "data"],
)
def test_a_setting_that_cannot_be_used_fails_with_a_sentence_and_no_traceback(
    make: Make, config: RunConfig, word: str
) -> None:
    runner = make(config)
    runner.start()
    assert runner.join(LIMIT)
    snapshot = runner.snapshot
    assert (snapshot.phase, snapshot.traceback) == (Phase.FAILED, "")
    assert word in snapshot.message
    assert snapshot.message.endswith(".")
    assert "\n" not in snapshot.message


def test_a_config_error_is_a_sentence_also_late(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise ConfigError("no more of this.")

    monkeypatch.setattr(Trainer, "step", refuse)
    runner = make()
    runner.start()
    assert runner.join(LIMIT)
    assert (runner.snapshot.message, runner.snapshot.traceback) == ("no more of this.", "")


# Snapshots


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
