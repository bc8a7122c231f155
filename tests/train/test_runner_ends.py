"""How a run ends and is trained on, what it answers meanwhile, and how it fails."""

import time
from dataclasses import replace
from typing import NoReturn

import pytest

from bntui.core.config import Change, Knobs, Observation, RunConfig
from bntui.core.run import Command
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import EpochReport, Phase
from bntui.core.text import ConfigError
from bntui.train.runner import Runner
from bntui.train.trainer import Trainer
from tests.train.running import (
    A_WHILE,
    ENDLESS,
    KNOBS,
    LIMIT,
    SHORT,
    UNOBSERVED,
    Make,
    paused,
    until,
    until_phase,
    until_update,
)

STALE = replace(
    ENDLESS, train_size=2000, width=0.125, steps=40, knobs=replace(KNOBS, batch_size=100)
)


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
