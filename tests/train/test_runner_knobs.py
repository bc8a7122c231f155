"""Knobs of a run under way: when they are applied, and how the pace is kept."""

import time
from dataclasses import replace

import pytest

from bntui.core.config import Knobs
from bntui.core.run import Command
from bntui.core.snapshot import Phase
from bntui.train.trainer import Trainer
from tests.train.running import (
    A_WHILE,
    ENDLESS,
    KNOBS,
    LIMIT,
    SHORT,
    Make,
    paused,
    until_phase,
    until_update,
)

SLOW = replace(ENDLESS, knobs=replace(KNOBS, pace=1.0 / (3.0 * LIMIT)))
"""Whoever waits for its pace waits in vain."""


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
