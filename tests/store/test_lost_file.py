"""The store's file is removed, renamed or replaced while a run is under way: the run is kept all the same."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bntui.core.config import RunConfig
from bntui.core.run_request import Resume
from bntui.core.snapshot import Mark, Phase
from bntui.core.sweep import Design
from bntui.store.database import Store
from bntui.store.liveness import is_held, live_path
from bntui.store.recorder import StoreRecorder
from bntui.store.writing import State
from tests.store.recorded import Clock, checkpoint, feed, journal, keep, loss, report, state
from tools.faults import Fault

MARKS = (Mark(7, "momentum 0.97→0.9", "momentum=0.9"),)


def remove(path: Path) -> None:
    path.unlink()


def remove_all(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        shutil.rmtree(file) if file.is_dir() else file.unlink()


def replace(path: Path) -> None:
    other = path.with_name("other.sqlite")
    keep(other, updates=3)
    other.rename(path)


def copy_itself(path: Path) -> None:
    """Put an older copy of the same store, in which the run has begun, in its place."""
    path.with_name("copy.sqlite").rename(path)


def remove_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def rename_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("renamed"))


@pytest.mark.parametrize(
    "lose", [remove, remove_all, replace, copy_itself, remove_folder, rename_folder]
)
@pytest.mark.parametrize("end", ["at the end", "on the way"])
def test_the_run_is_whole_in_the_file_that_is_there_then(
    tmp_path: Path, lose: Callable[[Path], None], end: str
) -> None:
    path, clock = tmp_path / "folder" / "runs.sqlite", Clock()
    recorder = StoreRecorder(path, clock=clock)
    kept = (checkpoint(16, b"c" * 5000),)
    feed(recorder, range(1, 41), marks=MARKS, checkpoints=kept)
    shutil.copy(path, path.with_name("copy.sqlite"))
    lose(path)
    assert recorder.notice == ""
    if end == "on the way":
        clock.now = 1.0
        recorder.record(state(41, marks=MARKS, checkpoints=kept), journal([41]))
        assert recorder.problem == ""
        assert "was removed or replaced while this run was under way" in recorder.notice
        with Store(path) as store:
            assert store.run(recorder.run).state is State.RUNNING
    else:
        recorder.record(state(41, marks=MARKS, checkpoints=kept), journal([41]))
    recorder.close(state(41, phase=Phase.STOPPED, marks=MARKS, checkpoints=kept))
    assert "was removed or replaced" in recorder.notice
    with Store(path) as store:
        assert len(store.runs()) == (2 if lose is replace else 1)
        points = store.points(recorder.run)["train_loss"]
        assert points.updates.tolist() == list(range(1, 42))
        assert points.values.tolist() == [loss(update) for update in range(1, 42)]
        assert store.marks(recorder.run) == MARKS
        assert [one.loss for one in store.reports(recorder.run)] == [report(1).loss, report(2).loss]
        found = store.last_checkpoint(recorder.run)
        assert found is not None
        assert (found.update, found.content()) == (16, b"c" * 5000)
        assert store.run(recorder.run).state is State.STOPPED
    assert not path.with_name("runs.sqlite-live").exists()


def test_sweeps_come_along_with_a_run(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "runs.sqlite"
    design = Design(RunConfig(), seeds=(0, 1))
    with Store(path) as store:
        store.put_sweep("sweep-1", design)
        store.put_sweep("hurt", design)
        recorder = StoreRecorder(path)
        feed(recorder, range(1, 41))
        store._file.connection.execute("UPDATE sweeps SET begun = 'never' WHERE name = 'hurt'")
    remove_folder(path)
    recorder.close(state(41, phase=Phase.STOPPED))
    with Store(path) as store:
        assert [(sweep.name, sweep.design) for sweep in store.sweeps()] == [("sweep-1", design)]
        assert store.points(recorder.run)["train_loss"].updates[-1] == 40


def test_as_long_as_there_can_be_no_new_one_the_run_waits(tmp_path: Path) -> None:
    path, clock = tmp_path / "folder" / "runs.sqlite", Clock()
    recorder = StoreRecorder(path, clock=clock)
    feed(recorder, range(1, 41))
    shutil.rmtree(path.parent)
    path.parent.write_text("no folder")
    clock.now = 1.0
    recorder.record(state(41), journal([41]))
    assert "this run is not being kept" in recorder.problem
    path.parent.unlink()
    clock.now = 2.0
    recorder.record(state(42), journal([42]))
    assert recorder.problem == ""
    recorder.close(state(42, phase=Phase.STOPPED))
    with Store(path) as store:
        points = store.points(recorder.run)["train_loss"]
        assert points.updates.tolist() == list(range(1, 43))


def test_a_folder_that_comes_back_is_gone_on_with(tmp_path: Path) -> None:
    path, clock = tmp_path / "folder" / "runs.sqlite", Clock()
    away = tmp_path / "away"
    recorder = StoreRecorder(path, clock=clock)
    feed(recorder, range(1, 41))
    path.parent.rename(away)
    path.parent.write_text("in its place")
    clock.now = 1.0
    recorder.record(state(41), journal([41]))
    assert recorder.problem
    path.parent.unlink()
    away.rename(path.parent)
    clock.now = 2.0
    recorder.record(state(42), journal([42]))
    assert (recorder.problem, recorder.notice) == ("", "")
    recorder.close(state(42, phase=Phase.STOPPED))
    with Store(path) as store:
        points = store.points(recorder.run)["train_loss"]
        assert points.updates.tolist() == list(range(1, 43))


def test_what_others_write_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, clock = tmp_path / "runs.sqlite", Clock()
    recorder = StoreRecorder(path, clock=clock)
    feed(recorder, range(1, 41))
    replace(path)
    with monkeypatch.context() as patched:
        patched.setattr("bntui.store.recorded_marks.put_marks", full)
        clock.now = 1.0
        recorder.record(state(41), journal([41]))
    assert "database or disk is full" in recorder.problem
    with Store(path) as store:
        (other,) = store.runs()
        store.set_note(other.id, "in the log")
        clock.now = 2.0
        recorder.record(state(42), journal([42]))
        assert recorder.problem == ""
        assert store.run(other.id).note == "in the log"
    recorder.close(state(42, phase=Phase.STOPPED))
    with Store(path) as store:
        assert store.run(other.id).note == "in the log"
        points = store.points(recorder.run)["train_loss"]
        assert points.updates.tolist() == list(range(1, 43))


def full(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_a_log_that_is_removed_takes_nothing_with_it(tmp_path: Path) -> None:
    path, clock = tmp_path / "runs.sqlite", Clock()
    recorder = StoreRecorder(path, clock=clock)
    feed(recorder, range(1, 41))
    clock.now = 1.0
    recorder.record(state(40), ())
    path.with_name("runs.sqlite-wal").unlink()
    clock.now = 2.0
    recorder.record(state(41), journal([41]))
    with Store(path) as store:
        assert len(store.points(recorder.run)["train_loss"].values) == 41
    recorder.close(state(41, phase=Phase.STOPPED))
    with Store(path) as store:
        assert len(store.points(recorder.run)["train_loss"].values) == 41


def test_a_lock_that_is_removed_is_taken_again(tmp_path: Path) -> None:
    path, clock = tmp_path / "runs.sqlite", Clock()
    recorder = StoreRecorder(path, clock=clock)
    recorder.record(state(1), ())
    shutil.rmtree(path.with_name("runs.sqlite-live"))
    with Store(path) as store:
        assert store.run(recorder.run).state is State.RUNNING  # by its name in the kernel
        clock.now = 1.0
        recorder.record(state(2), ())
        assert is_held(live_path(path, recorder.run))
    recorder.close(state(2))


def test_of_a_file_that_is_gone_for_good_is_kept_what_is_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, clock = tmp_path / "runs.sqlite", Clock()
    recorder = StoreRecorder(path, clock=clock)
    feed(recorder, range(1, 41), marks=MARKS)
    remove_all(path)
    assert recorder._file.connection is not None
    recorder._file.connection.close()  # as a network's that no longer knows the file
    clock.now = 1.0
    reports = (report(1), report(2))
    recorder.record(state(41, marks=MARKS, reports=reports), journal([41]))
    assert recorder.problem == ""
    clock.now = 2.0
    recorder.record(state(42, marks=MARKS, reports=reports), journal([42]))
    recorder.close(state(42, phase=Phase.STOPPED, marks=MARKS, reports=reports))
    with Store(path) as store:
        assert store.marks(recorder.run) == MARKS
        assert len(store.reports(recorder.run)) == 2
        assert store.points(recorder.run)["train_loss"].updates.tolist() == [42]


@pytest.mark.fault("the store is removed while a run trains", injected="rm of the SQLite file")
def test_a_resumed_run_too(tmp_path: Path, fault: Fault) -> None:
    path, clock = tmp_path / "runs.sqlite", Clock()
    run = keep(path, end=Phase.STOPPED, checkpoints=(checkpoint(32),))
    with Store(path) as store:
        begin = store.last_checkpoint(run)
    assert begin is not None
    recorder = StoreRecorder(path, origin=Resume(begin), clock=clock)
    remove_all(path)
    recorder.record(state(33, reports=(report(1), report(2))), journal([33]))
    assert recorder.problem == ""
    path.unlink()
    clock.now = 1.0
    recorder.record(state(34), journal([34]))
    recorder.close(state(34, phase=Phase.STOPPED))
    with Store(path) as store:
        assert len(store.reports(run)) == 2
        assert store.points(run)["train_loss"].updates.tolist()[-1] == 34
    fault.saw = f"“{recorder.notice.replace(str(path), '…/runs.sqlite')}”"
    fault.lost = "nothing of this run; the others were in the file"
