"""What one process asks of a run that another one has."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bntui.core.run import Command
from bntui.core.run_request import Resume
from bntui.core.snapshot import Phase
from bntui.store.recorder import StoreRecorder
from bntui.store.requests import MOST, ask
from bntui.store.schema import StoreError
from bntui.store.writing import put
from tests.store.recorded import checkpoint, state


@pytest.fixture
def recorder(path: Path) -> Iterator[StoreRecorder]:
    recorder = StoreRecorder(path)
    recorder.record(state(1), ())
    yield recorder
    recorder.close(state(1, phase=Phase.STOPPED))


def leave(path: Path, run: str, number: int, command: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        put(connection, "requests", run, number, command, "now")


def test_what_is_asked_is_taken_once_and_in_order(path: Path, recorder: StoreRecorder) -> None:
    assert recorder.requested() == ()
    ask(path, recorder.run, Command.RECALIBRATE)
    ask(path, recorder.run, Command.WHAT_IF)
    ask(path, recorder.run, Command.RECALIBRATE)  # it waits already
    assert recorder.requested() == (Command.RECALIBRATE, Command.WHAT_IF)
    assert recorder.requested() == ()


def test_what_is_asked_of_another_run_is_its_own(path: Path, recorder: StoreRecorder) -> None:
    other = StoreRecorder(path)
    other.record(state(1), ())
    ask(path, other.run, Command.RECALIBRATE)
    assert recorder.requested() == ()
    assert other.requested() == (Command.RECALIBRATE,)
    other.close(state(1))


def test_nobody_is_asked_who_would_not_answer(path: Path, recorder: StoreRecorder) -> None:
    with pytest.raises(StoreError, match="is not under way"):
        ask(path.with_name("none.sqlite"), recorder.run, Command.RECALIBRATE)
    with pytest.raises(StoreError, match="is not under way"):
        ask(path, "a" * 12, Command.RECALIBRATE)
    recorder.close(state(1, phase=Phase.STOPPED))
    with pytest.raises(StoreError, match=f"run {recorder.run} is not under way"):
        ask(path, recorder.run, Command.RECALIBRATE)
    assert recorder.requested() == ()


def test_what_is_no_request_is_removed(path: Path, recorder: StoreRecorder) -> None:
    leave(path, recorder.run, 0, "DANCE")
    leave(path, recorder.run, 1, "RECALIBRATE")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE requests SET checksum = 0 WHERE number = 1")
    assert recorder.requested() == ()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM requests").fetchone() == (0,)


def test_no_more_wait_than_are_allowed(path: Path, recorder: StoreRecorder) -> None:
    for number in range(MOST):
        leave(path, recorder.run, number, "DANCE")
    with pytest.raises(StoreError, match=f"{MOST} requests waiting"):
        ask(path, recorder.run, Command.RECALIBRATE)


def test_a_run_that_is_resumed_is_not_asked_what_its_killed_process_was(path: Path) -> None:
    first = StoreRecorder(path)
    first.record(state(20), ())
    ask(path, first.run, Command.RECALIBRATE)
    first.close(state(20, phase=Phase.STOPPED))
    resumed = StoreRecorder(path, origin=Resume(checkpoint(16, b"", first.run)))
    resumed.record(state(17), ())
    assert resumed.requested() == ()
    resumed.close(state(17))


def test_looking_never_raises(path: Path, recorder: StoreRecorder) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE requests")
    assert recorder.requested() == ()
