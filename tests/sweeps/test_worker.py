"""A cell that is run for a driver leaves in the store what a run leaves that writes there itself."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from bntui.core.config import RunConfig
from bntui.core.run import Recorder
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.sweep import OBSERVED, Cell
from bntui.store.claims import claim
from bntui.store.writing import State
from bntui.sweeps.executor import Ended, Message, Progress, Reported
from bntui.sweeps.sender import JUDGED_SERIES, whole
from bntui.sweeps.worker import run_cell
from tests.sweeps.by_itself import run_itself
from tests.sweeps.tiny import SECONDS, design, kept


class Replayed:
    """Takes messages as a driver does."""

    def __init__(self, recorder: Recorder, stop_at: float) -> None:
        self.recorder = recorder
        self.stop_at = stop_at
        self.asked = Event()
        self.snapshot = Snapshot()
        self.messages: list[Message] = []

    def __call__(self, message: Message) -> None:
        self.messages.append(message)
        if isinstance(message, Reported):
            self.recorder.report(message.report)
        elif isinstance(message, Progress | Ended):
            self.snapshot = whole(message.snapshot, message.same, self.snapshot)
            if isinstance(message, Progress):
                self.recorder.record(self.snapshot, message.journal)
            else:
                self.recorder.close(self.snapshot)
        if self.snapshot.update >= self.stop_at:
            self.asked.wait(SECONDS)  # a quick machine would have finished by then

    def stopping(self) -> bool:
        """Tell whether the run has come to the update where it is to stop."""
        if self.snapshot.update >= self.stop_at:
            self.asked.set()
        return self.asked.is_set()


def run_claimed(path: Path, cell: Cell, *, stop_at: float = math.inf) -> Replayed:
    """Run a cell of the store, and have it stop when it has come to an update."""
    claimed = claim(path, cell)
    assert claimed
    replayed = Replayed(claimed.recorder, stop_at)
    assert run_cell(cell.id, claimed.request, replayed, replayed.stopping)
    return replayed


def test_what_is_sent_and_kept_is_what_the_run_would_keep_itself(tmp_path: Path) -> None:
    cell = design(tmp_path).cells()[0]
    run_itself(tmp_path / "itself.sqlite", cell)
    replayed = run_claimed(tmp_path / "sent.sqlite", cell)
    assert kept(tmp_path / "sent.sqlite", cell.id) == kept(tmp_path / "itself.sqlite", cell.id)
    first, *_, last = replayed.messages
    assert isinstance(first, Progress)
    assert isinstance(last, Ended)
    assert replayed.snapshot.phase is Phase.FINISHED
    assert [m.report.epoch for m in replayed.messages if isinstance(m, Reported)] == [1, 2, 3]


def test_what_is_not_needed_is_not_sent(tmp_path: Path) -> None:
    cell = design(tmp_path).cells()[0]
    replayed = run_claimed(tmp_path / "sent.sqlite", cell)
    for message in replayed.messages:
        if isinstance(message, Progress | Ended):
            assert message.snapshot.series.keys() <= set(JUDGED_SERIES)
            assert not message.snapshot.past
            assert len(message.snapshot.checkpoints) <= 1
            assert message.snapshot.phase is not Phase.FINISHED or not message.snapshot.checkpoints
    later = [one for one in replayed.messages if isinstance(one, Progress)][1:]
    assert later
    assert all({"config", "facts"} <= one.same for one in later)


def test_a_run_that_was_stopped_goes_on_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bntui.sweeps.sender.SEND_SECONDS", 0.0)
    cell = design(tmp_path, epochs=4).cells()[0]
    run_itself(tmp_path / "itself.sqlite", cell)
    path = tmp_path / "sent.sqlite"
    replayed = run_claimed(path, cell, stop_at=5)
    assert replayed.snapshot.phase is Phase.INTERRUPTED
    assert 5 <= replayed.snapshot.update < 48
    (stopped,) = {kept(path, cell.id)["state"]}
    assert stopped[0] is State.INTERRUPTED
    assert stopped[4] == replayed.snapshot.update, "it has kept itself"
    run_claimed(path, cell)
    assert kept(path, cell.id) == kept(tmp_path / "itself.sqlite", cell.id)


def test_a_run_that_was_stopped_while_it_measured_goes_on_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = design(tmp_path).cells()[0]
    run_itself(tmp_path / "itself.sqlite", cell)
    path = tmp_path / "sent.sqlite"
    claimed = claim(path, cell)
    assert claimed
    replayed = Replayed(claimed.recorder, math.inf)
    measured = []

    def moment(validator: Any, *_: object) -> None:
        """Be asked to stop after the validation of the first epoch, and before all estimators'."""
        measured.append(True)
        replayed.asked.set()
        wait_for(validator.check_stop)

    with monkeypatch.context() as patched:
        patched.setattr("bntui.measure.validation.Validator.moment", moment)
        assert run_cell(cell.id, claimed.request, replayed, replayed.stopping)
    assert measured
    assert kept(path, cell.id)["state"][:2] == (State.INTERRUPTED, 12)
    run_claimed(path, cell)
    assert kept(path, cell.id) == kept(tmp_path / "itself.sqlite", cell.id)


def wait_for(stop: Callable[[], None]) -> None:
    """Look for a stop until it is raised."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        stop()
        time.sleep(0.001)


def test_a_setting_that_can_not_be_used_is_told_in_its_sentence(tmp_path: Path) -> None:
    cell = design(tmp_path).cells()[0]
    config = replace(cell.config, dataset=str(tmp_path / "missing.npz"))
    snapshot = failed(config)
    assert snapshot.phase is Phase.FAILED
    assert "missing.npz" in snapshot.message
    assert not snapshot.traceback


def test_a_bug_is_told_with_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(*_: object) -> None:
        raise ArithmeticError("no such luck")

    monkeypatch.setattr("bntui.train.session.Session.train_once", step)
    snapshot = failed(design(tmp_path).base)
    assert snapshot.phase is Phase.FAILED
    assert snapshot.message == "ArithmeticError: no such luck"
    assert "in step" in snapshot.traceback


def test_no_thread_for_the_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", start)
    snapshot = failed(design(tmp_path).base)
    assert snapshot.phase is Phase.FAILED
    assert "no thread" in snapshot.message


def failed(config: RunConfig) -> Snapshot:
    """Return the last snapshot of a run that fails."""
    messages: list[Message] = []
    run_cell("abc", RunRequest(config, OBSERVED), messages.append, lambda: False)
    snapshot = Snapshot()
    for message in messages:
        if isinstance(message, Progress | Ended):
            snapshot = whole(message.snapshot, message.same, snapshot)
    assert isinstance(messages[-1], Ended)
    return snapshot
