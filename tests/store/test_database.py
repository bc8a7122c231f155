"""Reading and editing the store."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bntui.core.snapshot import Mark, Phase
from bntui.core.text import ConfigError
from bntui.machine.places import store_path
from bntui.store import schema
from bntui.store.checksum import checksums_statement
from bntui.store.database import Store
from bntui.store.recorder import StoreRecorder
from bntui.store.schema import MIGRATIONS, StoreError, connect, transaction
from bntui.store.writing import truncate_after
from tests.store.hostile_notes import HOSTILE
from tests.store.recorded import checkpoint, keep, report, state


class TestFinding:
    def test_runs_are_listed_newest_first(self, path: Path, store: Store) -> None:
        ids = [keep(path, updates=1) for _ in range(3)]
        assert [run.id for run in store.runs()] == ids[::-1]

    def test_the_beginning_of_an_id_will_do_as_long_as_it_is_one_runs(
        self, path: Path, store: Store
    ) -> None:
        recorders = {name: StoreRecorder(path) for name in ("abc111111111", "abd222222222")}
        for name, recorder in recorders.items():
            recorder.run = name
            recorder.record(state(1), ())
            recorder.close(state(1))
        assert store.find("abc").id == store.find(" ABC1").id == "abc111111111"
        assert store.find("abd222222222").id == store.find("last").id == "abd222222222"
        with pytest.raises(StoreError, match="'ab' may be abd222222222, abc111111111"):
            store.find("ab")
        for name in ("abe", "abc1111111111", "", "%", "_"):
            with pytest.raises(StoreError, match="is not in the store"):
                store.find(name)

    def test_last_is_not_a_deleted_one(self, path: Path, store: Store) -> None:
        first, last = keep(path, updates=1), keep(path, updates=1)
        store.delete(last)
        assert store.find("last").id == first
        with pytest.raises(StoreError, match="is not in the store"):
            store.find(last)

    def test_in_an_empty_store_there_is_no_last(self, store: Store) -> None:
        with pytest.raises(StoreError, match="'last' is not in the store"):
            store.find("last")


class TestEditing:
    @pytest.mark.parametrize("note", ["", "momentum 0.9 at last", HOSTILE, "\0", "é😀" * 500])
    def test_a_note_is_kept_as_it_is(self, path: Path, store: Store, note: str) -> None:
        run, other = keep(path, updates=1), keep(path, updates=1)
        store.set_note(run, note)
        assert store.run(run).note == note
        assert store.run(other).note == ""

    def test_a_byte_that_is_no_text_is_kept_as_an_escape(self, path: Path, store: Store) -> None:
        run = keep(path, updates=1)
        store.set_note(run, "caf\udce9")
        assert store.run(run).note == "caf\\udce9"

    def test_pinning(self, path: Path, store: Store) -> None:
        run = keep(path, updates=1)
        store.pin(run)
        assert store.run(run).pinned
        store.pin(run, pinned=False)
        assert not store.run(run).pinned

    def test_deleting_can_be_undone(self, path: Path, store: Store) -> None:
        kept, gone, back = (keep(path, updates=20) for _ in range(3))
        store.delete(gone)
        store.delete(back)
        assert [run.id for run in store.runs()] == [kept]
        assert {run.id for run in store.runs(deleted=True)} == {gone, back}
        store.undelete(back)
        assert {run.id for run in store.runs()} == {kept, back}
        assert {run.id for run in store.runs(deleted=True)} == {gone}
        assert len(store.points(back)["train_loss"].values) == 20

    def test_weights_are_kept_on_request(self, path: Path, store: Store) -> None:
        run = keep(path)
        assert store.weights(run) is None
        store.keep_weights(run, 1, b"one")
        store.keep_weights(run, 2, b"two")
        assert store.weights(run) == (2, b"two")


def truncate(path: Path, run: str, update: int) -> None:
    """Do what resuming does before it goes on."""
    with closing(connect(path, patience=1.0)) as connection, transaction(connection):
        truncate_after(connection, run, update)


class TestTruncating:
    def test_what_came_after_an_update_is_forgotten(self, path: Path, store: Store) -> None:
        marks = (Mark(10, "early"), Mark(700, "late"))
        kept = (checkpoint(480),)
        run = keep(path, updates=1000, marks=marks, end=Phase.STOPPED, checkpoints=kept)
        other = keep(path, updates=1000)
        truncate(path, run, 481)
        points = store.points(run)
        assert points["train_loss"].updates.tolist() == list(range(1, 482))
        assert points["val_acc"].updates.tolist() == list(range(5, 481, 5))
        assert store.marks(run) == (Mark(10, "early"),)
        assert [report.update for report in store.reports(run)] == list(range(16, 481, 16))
        found = store.run(run)
        assert (found.updates, found.loss) == (481, report(30).loss)
        assert found.checkpoint == 480
        assert len(store.points(other)["train_loss"].values) == 1000

    def test_to_the_very_beginning(self, path: Path, store: Store) -> None:
        run = keep(path, updates=40, end=Phase.STOPPED, checkpoints=(checkpoint(32),))
        truncate(path, run, 0)
        assert store.last_checkpoint(run) is None
        assert store.points(run) == {}
        assert store.run(run).loss != store.run(run).loss  # NaN


class TestTheFile:
    @pytest.mark.parametrize("damage", ["'{}'", "'no JSON'", "'[1]'", "7"])
    def test_a_run_that_can_not_be_read_is_one_sentence(
        self, path: Path, store: Store, damage: str
    ) -> None:
        whole, run = keep(path, updates=1), keep(path, updates=1)
        with connect(path, patience=1.0) as connection:
            connection.execute(f"UPDATE runs SET facts = {damage} WHERE id = ?", (run,))
            connection.execute(checksums_statement("runs"))
        with pytest.raises(StoreError, match=f"run '{run}' in .* is not as this bntui writes them"):
            store.run(run)
        assert [found.id for found in store.runs()] == [whole]
        assert store.find("last").id == whole
        (remark,) = store.remarks
        assert remark.startswith(f"left out, not as bntui writes it: a run {run} (facts")

    def test_it_lies_where_the_user_says(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BNTUI_STORE", str(tmp_path / "elsewhere.sqlite"))
        assert store_path() == tmp_path / "elsewhere.sqlite"
        monkeypatch.delenv("BNTUI_STORE")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("XDG_DATA_HOME", raising=False)
        assert store_path().is_relative_to(tmp_path)
        assert store_path().parts[-2:] == ("bntui", "runs.sqlite")

    def test_it_is_of_the_newest_format_and_in_wal_mode(self, path: Path, store: Store) -> None:
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_an_older_file_is_brought_up_to_date_with_what_is_in_it(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = keep(path, updates=20)
        newer = (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN stars INTEGER NOT NULL DEFAULT 5",))
        monkeypatch.setattr(schema, "MIGRATIONS", newer)
        with Store(path) as store:
            assert [row["stars"] for row in store._file.rows("runs", "")] == [5]
            assert store.run(run).updates == 20
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (len(newer),)

    def test_a_migration_that_fails_leaves_the_file_as_it_was(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = keep(path, updates=20)
        broken = ("ALTER TABLE runs ADD COLUMN stars INTEGER", "nonsense")
        with monkeypatch.context() as patched:
            patched.setattr(schema, "MIGRATIONS", (*MIGRATIONS, broken))
            with pytest.raises(StoreError, match="nonsense"):
                Store(path)
        with Store(path) as store:
            assert store.run(run).updates == 20
            assert "stars" not in tuple(store._file.rows("runs", "")[0].keys())

    def test_a_newer_file_is_refused_and_left_alone(self, path: Path) -> None:
        connection = connect(path, patience=1.0)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        before = path.read_bytes()
        with pytest.raises(StoreError, match=r"newer bntui \(format 99, this one knows \d+\)"):
            Store(path)
        assert path.read_bytes() == before

    def test_another_kind_of_file_is_refused_and_left_alone(self, path: Path) -> None:
        path.write_text("a shopping list\n" * 100)
        with pytest.raises(StoreError, match=f"{path} can't be used: file is not a database"):
            Store(path)
        assert path.read_text() == "a shopping list\n" * 100

    def test_what_can_go_wrong_is_a_setting_that_cant_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigError, match="BNTUI_STORE"):
            Store(tmp_path / "file" / "runs.sqlite")

    def test_a_killed_migration_is_done_again(self, path: Path) -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")  # and that was as far as it got
        connection.close()
        assert keep(path, updates=1)
