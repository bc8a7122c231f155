"""What a driver does when a worker dies, a run fails, nothing can be begun, or the store can't be used."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

from bntui.core.run_request import New, Resume, RunRequest
from bntui.core.snapshot import Phase
from bntui.core.sweep import Axis, Cell
from bntui.store.claims import claim
from bntui.store.database import Store
from bntui.store.writing import State
from bntui.sweeps.driver import MOST_LOSSES
from bntui.sweeps.executor import Ended, Lost, Message
from tests.sweeps.led import ended, wait_until
from tests.sweeps.scripted import (
    DESIGN,
    ONE,
    THREE,
    TWO,
    Scripted,
    driver,
    failed,
    finished,
    progress,
    seen,
    stored,
    stored_updates,
)
from tests.sweeps.tiny import SECONDS

ALONE = replace(DESIGN, axes=(Axis("batch_size", (16,)),))


def test_a_cell_whose_worker_died_goes_on_from_its_checkpoint(path: Path) -> None:
    executor = Scripted()
    led = driver(path, executor)
    _, request = executor.begun(1)
    assert request.origin == New()
    executor.send(ONE.id, progress(ONE, 10, kept=True), progress(ONE, 20), Lost("it was killed"))
    run, request = executor.begun(2)
    assert run == ONE.id
    assert isinstance(request.origin, Resume)
    assert request.origin.checkpoint.update == 10
    wait_until(lambda: led.message == f"run {ONE.id} goes on elsewhere: it was killed.")
    assert stored(path, ONE).state is State.INTERRUPTED
    assert led.leave(SECONDS)


def test_a_cell_that_ends_its_workers_fails(path: Path) -> None:
    executor = Scripted()
    led = driver(path, executor)
    for count in range(1, MOST_LOSSES + 2):
        assert executor.begun(count)[0] == ONE.id
        executor.send(ONE.id, progress(ONE, 0), Lost("it was killed"))
    assert executor.begun(MOST_LOSSES + 2)[0] == TWO.id
    run = stored(path, ONE)
    assert run.state is State.FAILED
    assert run.message == "it was killed, 4 times in succession: it is not tried again."
    assert [(one.cell, one.message) for one in led.failures] == [(ONE, run.message)]
    wait_until(lambda: run.message in led.message)
    led.leave(SECONDS)


def test_a_cell_that_comes_further_each_time_does_not_fail(path: Path) -> None:
    executor = Scripted()
    led = driver(path, executor)
    for count in range(1, MOST_LOSSES + 4):
        assert executor.begun(count)[0] == ONE.id
        executor.send(ONE.id, progress(ONE, count, kept=True), Lost("it was killed"))
    run, request = executor.begun(MOST_LOSSES + 4)
    assert run == ONE.id
    assert request.checkpoint
    assert request.checkpoint.update == MOST_LOSSES + 3
    led.leave(SECONDS)


def test_a_cell_that_fails_is_told_and_is_not_run_again_unless_asked(path: Path) -> None:
    executor = Scripted()
    led = driver(path, executor)
    executor.begun(1)
    snapshot = replace(seen(ONE, 5, Phase.FAILED, "no such luck"), traceback="in line 1")
    executor.send(ONE.id, progress(ONE, 5), Ended(snapshot))
    assert executor.begun(2)[0] == TWO.id
    assert led.leave(SECONDS)
    assert [(one.message, one.traceback) for one in led.failures] == [("no such luck", "in line 1")]
    assert stored(path, ONE).state is State.FAILED

    executor = Scripted()
    led = driver(path, executor)
    assert executor.begun(1)[0] == TWO.id
    assert led.leave(SECONDS)

    executor = Scripted()
    led = driver(path, executor, retry_failed=True)
    assert executor.begun(1)[0] == ONE.id
    executor.send(ONE.id, progress(ONE, 5), Ended(snapshot))
    assert executor.begun(2)[0] == TWO.id, "once more, not for ever"
    assert led.retrying == {TWO.id, THREE.id}
    assert led.leave(SECONDS)
    assert not led.retrying


def test_a_cell_that_can_not_be_loaded_is_told(path: Path) -> None:
    executor = Scripted()
    led = driver(path, executor)
    executor.begun(1)
    why = "the data are not there: put them back."
    executor.send(
        ONE.id, Ended(replace(seen(ONE, 0, Phase.FAILED, why), facts=None))
    )  # nothing is kept of it
    assert executor.begun(2)[0] == TWO.id
    assert [(one.cell, one.message) for one in led.failures] == [(ONE, why)]
    wait_until(lambda: led.message == f"run {ONE.id} has failed: {why}")
    assert led.leave(SECONDS)


def test_it_gives_up_where_nothing_can_be_begun(path: Path) -> None:
    executor = Scripted()
    executor.refuses = "no process can be started: end other programs."
    led = driver(path, executor)
    ended(led)
    assert led.failure == executor.refuses
    assert claim(path, ONE) is not None


def test_it_waits_where_nothing_more_can_be_begun(path: Path) -> None:
    executor = Scripted(jobs=2)
    refuse_second(executor)
    led = driver(path, executor)
    executor.begun(1)
    wait_until(lambda: led.message == "no second process")
    executor.refuses = ""
    executor.send(ONE.id, *finished(ONE))
    assert executor.begun(3)[0] == THREE.id
    wait_until(lambda: led.message == "")
    assert led.leave(SECONDS)


def test_what_can_not_be_begun_is_tried_once_a_second(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bntui.sweeps.driver.WAIT_SECONDS", 0.01)
    monkeypatch.setattr("bntui.sweeps.driver.LOOK_SECONDS", 0.3)
    executor = Scripted(jobs=2)
    refuse_second(executor)
    begin, tries = executor.begin, []

    def counted(run: str, request: RunRequest) -> None:
        tries.append(monotonic())
        begin(run, request)

    executor.begin = counted  # type: ignore[method-assign]
    led = driver(path, executor)
    wait_until(lambda: len(tries) >= 4)
    assert tries[3] - tries[1] >= 0.6
    assert led.leave(SECONDS)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_cell_is_free_again_whatever_goes_wrong_as_it_begins(path: Path) -> None:
    executor = Scripted()

    def fail(run: str, request: RunRequest) -> None:
        raise MemoryError("no memory")

    executor.begin = fail  # type: ignore[method-assign]
    led = driver(path, executor)
    ended(led)
    assert led.failure == "MemoryError: no memory"
    assert claim(path, ONE) is not None


def refuse_second(executor: Scripted) -> None:
    begin = executor.begin

    def refuse(run: str, request: object) -> None:
        begin(run, request)  # type: ignore[arg-type]
        if len(executor.requests) == 1:
            executor.refuses = "no second process"

    executor.begin = refuse  # type: ignore[method-assign]


def test_it_says_that_cells_are_not_being_kept(path: Path) -> None:
    executor = Scripted()
    led = driver(path, executor)
    executor.begun(1)
    executor.send(ONE.id, progress(ONE, 1))
    wait_until(lambda: path.exists() and ONE.id in stored_updates(path))
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    executor.send(ONE.id, replace(progress(ONE, 2), snapshot=seen(ONE, 2, Phase.PAUSED)))
    wait_until(lambda: "not being kept" in led.message)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert led.leave(SECONDS)


@pytest.fixture
def full(path: Path) -> Iterator[sqlite3.Connection]:
    """A store that can be read and not written, as on a full disk, until this connection rolls back."""
    Store(path).close()
    blocker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    yield blocker
    blocker.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bntui.sweeps.driver.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("bntui.store.recorder.PATIENCE", 0.05)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("end", [finished, failed])
def test_a_cell_whose_end_could_not_be_written_is_run_again(
    path: Path, full: sqlite3.Connection, end: Callable[[Cell], tuple[Message, ...]]
) -> None:
    executor = Scripted()
    led = driver(path, executor, ALONE)
    executor.begun(1)
    executor.send(ONE.id, *end(ONE))
    executor.begun(2)
    wait_until(lambda: led.message.startswith(f"run {ONE.id} goes on later: this run is not being"))
    assert not led.over
    full.execute("ROLLBACK")
    executor.send(ONE.id, *end(ONE))
    ended(led)
    assert (led.failure, len(led.failures)) == ("", end is failed)
    assert "not being kept" not in led.message
    assert stored(path, ONE).state is (State.FAILED if end is failed else State.FINISHED)


@pytest.mark.usefixtures("impatient", "full")
def test_it_gives_up_where_no_end_can_be_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bntui.sweeps.driver.GIVE_UP_SECONDS", 0.2)
    executor = Scripted(jobs=2)
    led = driver(path, executor)

    def is_over() -> bool:
        for cell in DESIGN.cells():
            executor.send(cell.id, *finished(cell))
        return led.over

    wait_until(is_over)
    assert "goes on later: this run is not being kept" in led.failure


def test_it_tries_a_store_again_that_can_not_be_used_and_gives_up_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bntui.sweeps.driver.GIVE_UP_SECONDS", 0.2)
    monkeypatch.setattr("bntui.sweeps.driver.LOOK_SECONDS", 0.05)
    path = tmp_path / "runs.sqlite"
    path.mkdir()
    led = driver(path, Scripted())
    ended(led)
    assert str(path) in led.failure


def test_it_no_longer_speaks_of_a_store_that_can_be_used_again(path: Path) -> None:
    path.mkdir()
    executor = Scripted()
    led = driver(path, executor)
    wait_until(lambda: str(path) in led.message)
    path.rmdir()
    executor.begun(1)
    wait_until(lambda: led.message == "")
    assert led.leave(SECONDS)
