"""What a recorder does when it can't keep a run."""

import sqlite3
from pathlib import Path

import pytest

from bntui.core.snapshot import Mark, Phase
from bntui.store import recorder as recording
from bntui.store import runs_file
from bntui.store.database import Store
from bntui.store.recorder import StoreRecorder
from bntui.store.schema import connect
from tests.store.recorded import Clock, journal, last_update, report, state


class TestTrouble:
    """A store that can't be written never stops a run, is spoken of, and is tried again."""

    def test_a_folder_that_cant_be_made(self, tmp_path: Path) -> None:
        in_the_way = tmp_path / "file"
        in_the_way.write_text("")
        clock = Clock()
        recorder = StoreRecorder(in_the_way / "runs.sqlite", clock=clock)
        recorder.record(state(1), journal([1]))
        assert str(in_the_way) in recorder.problem
        assert "BNTUI_STORE" in recorder.problem
        assert recorder.problem.count("\n") == 0

        in_the_way.unlink()  # and the user makes room
        recorder.record(state(2), journal([2]))
        assert recorder.problem  # not tried at every call
        clock.now = 1.0
        recorder.record(state(3), journal([3]))
        assert recorder.problem == ""
        with Store(in_the_way / "runs.sqlite") as store:
            assert store.points(recorder.run)["train_loss"].updates.tolist() == [1, 2, 3]
        recorder.close(state(3))

    def test_a_store_that_another_process_holds(self, path: Path, store: Store) -> None:
        clock = Clock()
        recorder = StoreRecorder(path, clock=clock)
        recorder.record(state(1), journal([1]))
        other = connect(path, patience=1.0)
        other.execute("BEGIN IMMEDIATE")
        mark = (Mark(1, "momentum 0.97→0.9", "momentum=0.9"),)
        recorder.report(report(1))
        recorder.record(state(2, marks=mark), journal([2]))
        assert "locked" in recorder.problem
        other.execute("ROLLBACK")
        other.close()
        clock.now = 1.0
        recorder.record(state(3, marks=mark), journal([3]))
        assert recorder.problem == ""
        assert store.points(recorder.run)["train_loss"].updates.tolist() == [1, 2, 3]
        assert store.marks(recorder.run) == mark
        assert len(store.reports(recorder.run)) == 1
        recorder.close(state(3, marks=mark))

    def test_a_full_disk(self, path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        full = True

        def connect_full(path: Path, *, patience: float) -> sqlite3.Connection:
            connection = connect(path, patience=patience)
            if full:
                pages = connection.execute("PRAGMA page_count").fetchone()[0]
                connection.execute(f"PRAGMA max_page_count = {pages + 2}")
            return connection

        monkeypatch.setattr(runs_file, "connect", connect_full)
        clock = Clock()
        recorder = StoreRecorder(path, clock=clock)
        recorder.record(state(1), journal([1]))
        assert recorder.problem == ""
        for second in range(1, 6):
            clock.now = float(second)
            some = range(1000 * second, 1000 * (second + 1))
            recorder.record(state(some[-1]), journal(some))
        assert "full" in recorder.problem
        assert last_update(store, recorder.run) == 1  # all or nothing
        full = False
        clock.now = 6.0
        recorder.record(state(5999), ())
        assert recorder.problem == ""
        assert store.points(recorder.run)["train_loss"].updates.tolist() == [1, *range(1000, 6000)]
        recorder.close(state(5999))

    def test_what_waits_in_memory_has_an_end(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recording, "MOST_WAITING", 100)
        in_the_way = tmp_path / "file"
        in_the_way.write_text("")
        clock = Clock()
        recorder = StoreRecorder(in_the_way / "runs.sqlite", clock=clock)
        recorder.record(state(1), journal([1]))
        clock.now = 1.0
        recorder.record(state(200), journal(range(2, 201)))
        assert "The rest of it is given up" in recorder.problem
        in_the_way.unlink()
        clock.now = 2.0
        recorder.record(state(201), journal([201]))
        recorder.close(state(201))
        assert "The rest of it is given up" in recorder.problem
        with Store(in_the_way / "runs.sqlite") as store:
            assert store.runs() == []

    def test_a_store_of_a_newer_bntui(self, path: Path) -> None:
        connect(path, patience=1.0).execute("PRAGMA user_version = 99")
        recorder = StoreRecorder(path)
        recorder.record(state(1), journal([1]))
        assert "newer bntui" in recorder.problem
        recorder.close(state(1))


def test_a_notice_is_no_problem(tmp_path: Path) -> None:
    recorder = StoreRecorder(tmp_path / "runs.sqlite", notice="the store was mended.")
    recorder.record(state(1), journal([1]))
    assert (recorder.notice, recorder.problem) == ("the store was mended.", "")
    recorder.close(state(1, phase=Phase.STOPPED))
