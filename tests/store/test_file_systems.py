"""Stores that may only be read, that have several names, or lie where files can't be locked or shared."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bntui.core.run_request import Resume
from bntui.core.snapshot import Phase
from bntui.store import writing
from bntui.store.database import Store
from bntui.store.liveness import hold, let_go, live_path
from bntui.store.recorder import StoreRecorder
from bntui.store.schema import StoreError
from bntui.store.writing import State
from tests.children import python, started
from tests.store.another_user import COMMAND, nobody
from tests.store.recorded import Clock, checkpoint, feed, journal, keep, state
from tests.store.test_formats import old
from tools.faults import Fault

KEEPING = """
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from bntui.core.snapshot import Phase
from bntui.store.recorder import StoreRecorder
from tests.store.recorded import Clock, checkpoint, feed, state

recorder = StoreRecorder(Path(sys.argv[1]))
kept = (checkpoint(16, b"c" * 5000),)
feed(recorder, range(1, 41), checkpoints=kept)
print(recorder.run, recorder.problem, flush=True)
sys.stdin.readline()
recorder.close(state(40, phase=Phase.STOPPED, checkpoints=kept))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "runs.sqlite"


class TestNames:
    def test_a_run_is_under_way_whatever_link_its_store_is_reached_by(
        self, path: Path, tmp_path: Path
    ) -> None:
        keep(path)
        (link := tmp_path / "link.sqlite").symlink_to(path)
        (folder := tmp_path / "other").symlink_to(path.parent)
        recorder = StoreRecorder(link)
        kept = (checkpoint(16, run=recorder.run),)
        feed(recorder, range(1, 41), checkpoints=kept)
        for name in (path, link, folder / path.name):
            with Store(name) as store:
                assert store.run(recorder.run).state is State.RUNNING
            with pytest.raises(StoreError, match="is under way in another bntui"):
                StoreRecorder(name, origin=Resume(kept[0]))
        recorder.close(state(40, phase=Phase.STOPPED))
        assert {file.name for file in path.parent.iterdir()} == {"runs.sqlite"}
        assert {file.name for file in tmp_path.iterdir()} == {"link.sqlite", "other", "folder"}

    def test_what_is_written_under_one_of_two_names_is_read_under_the_other(
        self, path: Path, tmp_path: Path
    ) -> None:
        keep(path)
        (other := tmp_path / "other.sqlite").hardlink_to(path)
        clock = Clock()
        recorder = StoreRecorder(path, clock=clock)
        kept = (checkpoint(16, run=recorder.run),)
        feed(recorder, range(1, 41), checkpoints=kept)
        clock.now = 1.0
        recorder.record(state(40, checkpoints=kept), ())
        with pytest.raises(StoreError, match="is under way in another bntui"):
            StoreRecorder(other, origin=Resume(kept[0]))
        with Store(other) as store:
            assert len(store.points(recorder.run)["train_loss"].values) == 40
            assert store.run(recorder.run).state is State.RUNNING
            store.set_note(recorder.run, "by another name")
        recorder.close(state(40, phase=Phase.FINISHED))
        with Store(path) as store:
            assert store.run(recorder.run).note == "by another name"

    def test_what_killed_runs_have_left_is_removed(self, path: Path) -> None:
        keep(path)
        left = live_path(path, "aa")
        left.parent.mkdir()
        left.touch()
        (pipe := left.with_name("bb")).touch()
        pipe.unlink()
        os.mkfifo(pipe)
        lock = hold(live_path(path, "cc"))
        assert lock is not None
        recorder = StoreRecorder(path)
        feed(recorder, range(1, 11))
        assert not left.exists()
        assert live_path(path, "cc").exists()
        let_go(live_path(path, "cc"), lock)
        recorder.close(state(10, phase=Phase.FINISHED))


OTHERS = {
    "a view without end": """
        DROP TABLE runs;
        CREATE VIEW runs AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
        SELECT x AS id FROM n""",
    "a trigger": "CREATE TRIGGER t AFTER UPDATE ON runs BEGIN DELETE FROM points; END",
    "another table": "CREATE TABLE bookmarks (url TEXT)",
    "another table alone": """
        DROP TABLE runs; DROP TABLE points; DROP TABLE marks; DROP TABLE verdicts;
        DROP TABLE reports; DROP TABLE checkpoints; DROP TABLE weights; DROP TABLE pieces;
        CREATE TABLE bookmarks (url TEXT); PRAGMA user_version = 0""",
    "an index": "CREATE INDEX i ON points (checksum)",
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_database_that_is_not_ours_is_refused_and_left_alone(path: Path, what: str) -> None:
    keep(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OTHERS[what])
        connection.execute("PRAGMA journal_mode = DELETE")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is no store of bntui's, it has a "):
        Store(path)
    recorder = StoreRecorder(path)
    recorder.record(state(1), ())
    assert "is no store of bntui's" in recorder.problem
    done = python(COMMAND, "doctor", BNTUI_STORE=str(path))
    assert "is no store of bntui's" in done.stdout
    assert path.read_bytes() == before


def test_a_damaged_database_that_is_not_ours_stays_where_it_is(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.executemany("INSERT INTO bookmarks VALUES (?)", [("u" * 900,)] * 100)
        connection.commit()
    damaged = path.read_bytes()[:-4096] + b"x"
    path.write_bytes(damaged)
    with pytest.raises(StoreError, match="is no store of bntui's"):
        Store(path)
    assert path.read_bytes() == damaged
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", ["a folder", "no regular file"])
def test_what_is_no_file_is_refused(path: Path, kind: str) -> None:
    path.parent.mkdir()
    if kind == "a folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(StoreError, match=f"can't be used: it is {kind}"):
        Store(path)


def test_a_database_that_sqlite_has_analysed_is_still_ours(path: Path) -> None:
    keep(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ANALYZE")
    with Store(path) as store:
        assert len(store.runs()) == 1


@pytest.mark.parametrize("rest", [0, 1, 400])
def test_what_is_too_large_for_a_row_lies_in_pieces(
    path: Path, rest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "PIECE", 1000)
    content = bytes(range(250)) * 16 + b"r" * rest
    run = keep(path, end=Phase.STOPPED, checkpoints=(checkpoint(16, content),))
    with Store(path) as store:
        store.keep_weights(run, 40, content)
        found = store.last_checkpoint(run)
        assert found is not None
        assert found.content() == content
        assert store.weights(run) == (40, content)
        store.keep_weights(run, 40, b"smaller")
        assert store.weights(run) == (40, b"smaller")
    with closing(sqlite3.connect(path)) as connection:
        sizes = [row[0] for row in connection.execute("SELECT length(data) FROM pieces")]
        assert sizes == [1000] * 3 + [rest] * bool(rest)
        connection.execute("DELETE FROM pieces WHERE number = 2")
        connection.commit()
    with Store(path) as store, pytest.raises(StoreError, match="a piece of it is missing"):
        store.last_checkpoint(run)


def test_no_piece_outlives_its_checkpoint(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "PIECE", 1000)
    for end in (Phase.STOPPED, Phase.FINISHED):
        recorder = StoreRecorder(path)
        feed(recorder, range(1, 41), checkpoints=(checkpoint(16, b"c" * 2500),))
        recorder.close(state(40, phase=end, checkpoints=(checkpoint(32, b"c" * 1500),)))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM pieces").fetchone() == (1,)


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can be somebody else"
)
class TestReadOnly:
    @pytest.fixture
    def tmp_path(self) -> Iterator[Path]:
        """Return a folder that others may look into."""
        with TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            yield Path(folder)

    @pytest.fixture(params=["closed", "under way", "copied with its log", "of the first format"])
    def there(self, request: pytest.FixtureRequest, path: Path, tmp_path: Path) -> Path:
        run = ""
        if request.param == "of the first format":
            path.parent.mkdir()
            old(path, 1)
            return path
        run = keep(path, end=Phase.STOPPED)
        if request.param == "closed":
            return path
        recorder = StoreRecorder(path)
        recorder.record(state(1), journal([1]))
        with Store(path) as store:
            store.set_note(run, "in the log")
        if request.param == "under way":
            request.node.recorder = recorder  # as long as it lives
            return path
        (copy := tmp_path / "copy").mkdir()
        for part in ("", "-wal"):
            shutil.copy(f"{path}{part}", copy / f"runs.sqlite{part}")
        recorder.close(state(1))
        return copy / "runs.sqlite"

    def test_reading_commands_read_it(self, there: Path, fault: Fault) -> None:
        before = {file.name for file in there.parent.iterdir()}
        for file in there.parent.rglob("*"):
            file.chmod(0o755)  # its owner lets others look
        there.parent.chmod(0o755)
        for words in (("doctor",), ("show", "last"), ("runs",)):
            done = nobody(*words, BNTUI_STORE=str(there))
            assert done.returncode == 0, done.stderr
            assert done.stderr == ""
        listed = done.stdout
        assert ("in the log" in listed) is ("closed" not in str(before) and "-wal" in str(before))
        assert {file.name for file in there.parent.iterdir()} == before
        fault.saw = "`runs`, `show` and `export` read it"
        fault.lost = "nothing"

    test_reading_commands_read_it = pytest.mark.fault(
        "a store that may only be read", injected="another user's, with and without a log"
    )(test_reading_commands_read_it)

    def test_what_would_write_is_refused_in_one_sentence(self, path: Path) -> None:
        keep(path)
        words = ("--width", "0.05", "--train-size", "64", "--batch-size", "32", "--epochs", "1")
        done = nobody("run", *words, BNTUI_STORE=str(path))
        assert done.returncode == 0
        (said,) = done.stderr.splitlines()
        assert said.startswith("this run is not being kept")
        assert "can't be used: it may only be read" in said


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no compiler here")
@pytest.mark.skipif(sys.platform != "linux", reason="preloads a library")
class TestNetworkFileSystems:
    @pytest.fixture
    def lacking(self, tmp_path: Path) -> Path:
        library = tmp_path / "lacking.so"
        source = Path(__file__).with_name("lacking.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        return library

    def listed(self, path: Path) -> str:
        return python(COMMAND, "runs", BNTUI_STORE=str(path)).stdout

    @pytest.mark.fault(
        "a file system without shared memory or locks",
        injected="mmap, fcntl and flock that fail there",
    )
    @pytest.mark.parametrize("what", ["shm", "locks", "shm,locks"])
    @pytest.mark.parametrize("before", ["new", "written elsewhere"])
    def test_a_run_is_kept_there(
        self, path: Path, lacking: Path, what: str, before: str, fault: Fault,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        if before != "new":
            keep(path)
        monkeypatch.setenv("LD_PRELOAD", str(lacking))
        monkeypatch.setenv("LACKING", what)
        monkeypatch.setenv("LACKING_IN", str(path.parent))
        with started(KEEPING, str(path)) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            _, _, problem = process.stdout.readline().rstrip("\n").partition(" ")
            assert problem == ""
            assert "running" in self.listed(path)
            process.kill()
        assert "interrupted" in self.listed(path)
        with started(KEEPING, str(path)) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            run = process.stdout.readline().split()[0]
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.wait() == 0
        assert "stopped" in self.listed(path)
        kept = {file.name for file in path.parent.iterdir()}
        assert kept == {"runs.sqlite"}
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with Store(path) as store:
            assert len(store.points(run)["train_loss"].values) == 40
        fault.saw = "nothing: a rollback journal instead of a log"
        fault.lost = "nothing"
