"""The command line of a live session repeats it, bit for bit."""

import shlex
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bntui.cli.main import cli
from bntui.core.command_line import command_line
from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.parsers import parse_dataset
from bntui.core.run import Command
from bntui.core.run_request import RunRequest
from bntui.core.settings import SETTINGS, config_of
from bntui.core.snapshot import Phase
from bntui.train.runner import Runner

SMALL = RunConfig(
    train_size=300, width=0.0625, epochs=1000, seed=3, knobs=Knobs(batch_size=64, pace=200.0)
)


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def weights(runner: Runner) -> list[torch.Tensor]:
    assert runner._session is not None
    trainer = runner._session.trainer
    return [*trainer.model.parameters(), trainer.estimators.rows]


def test_a_live_session_is_repeated_bit_for_bit() -> None:
    live = Runner(RunRequest(SMALL))
    live.start()
    until(lambda: live.snapshot.update >= 7)
    live.apply(Knobs(batch_size=32, momentum=0.9, learning_rate=0.003, pace=200.0))
    until(lambda: live.snapshot.update >= 20)
    live.command(Command.PEEK)
    live.command(Command.RECALIBRATE)
    until(lambda: any(mark.label == "recalibrated" for mark in live.snapshot.marks))
    live.pause()
    until(lambda: live.snapshot.phase is Phase.PAUSED)
    line = command_line(live.snapshot)

    words = shlex.split(line)
    assert words[:2] == ["bntui", "run"]
    options = cli.commands["run"].make_context("run", words[2:]).params
    config, _ = config_of({name: options[name] for name in SETTINGS})
    again = Runner(RunRequest(config, Observation(live=False, epoch_ends=False, epoch_fresh=False)))
    again.start()
    until(lambda: again.snapshot.phase is Phase.FINISHED)

    assert again.snapshot.update == live.snapshot.update
    for one, other in zip(weights(live), weights(again), strict=True):
        assert torch.equal(one, other)
    for runner in (live, again):
        runner.stop()
        assert runner.join(10)


def test_the_user_s_own_data_set_is_named_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my own").mkdir()
    monkeypatch.chdir(tmp_path)
    line = command_line(Runner(RunRequest(RunConfig(dataset=parse_dataset("my own")))).snapshot)
    assert shlex.split(line)[2:4] == ["--dataset", str(tmp_path / "my own")]


def test_the_line_leaves_out_what_is_default() -> None:
    runner = Runner(RunRequest(RunConfig()))
    assert command_line(runner.snapshot) == "bntui run --steps 1"
