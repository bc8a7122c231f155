"""A store whose bytes are not those that were written: never silently wrong, never deleted."""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from bntui.cli.main import cli
from bntui.core.config import RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Mark, Phase
from bntui.store import repair
from bntui.store.archive import recorder
from bntui.store.database import Store
from bntui.store.recorder import StoreRecorder
from bntui.store.repair import REMARK, MendedError
from bntui.store.schema import StoreError, connect
from tests.store.recorded import checkpoint, feed, keep, state
from tests.ui.scripted import validation
from tools.faults import Fault

FLIPS = 60


def begin(path: Path) -> list[str]:
    """Keep three runs, all in the file itself, and return their ids."""
    marks = (Mark(7, "momentum 0.97→0.9", "momentum=0.9"),)
    runs = [
        keep(path, updates=updates, marks=marks, validation=validation(update=20))
        for updates in (40, 300)
    ]
    runs.append(keep(path, end=Phase.STOPPED, checkpoints=(checkpoint(16, b"x" * 9000),)))
    with Store(path) as store:
        store.set_note(runs[0], "the first")
        store.keep_weights(runs[2], 40, b"w" * 5000)
    assert not Path(f"{path}-wal").exists()
    return runs


def everything(path: Path) -> dict[str, str]:
    """Return all that the store gives of each run, as text."""
    with Store(path) as store:
        return {run.id: repr((run, parts(store, run.id))) for run in store.runs()}


def parts(store: Store, run: str) -> object:
    points = {
        name: (series.updates.tolist(), series.values.tolist())
        for name, series in store.points(run).items()
    }
    beside = (store.marks(run), store.verdicts(run), store.reports(run))
    return points, beside, store.last_checkpoint(run), store.weights(run)


def started() -> None:
    """Forget that this process has looked at a store before: a start of bntui does."""
    repair._searched.clear()


def runs() -> tuple[int, str]:
    """Return the exit status of `bntui runs`, and what it says."""
    started()
    result = CliRunner().invoke(cli, ["runs"], prog_name="bntui")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stderr.strip() or result.stdout.strip()


def flip(path: Path, place: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


@pytest.mark.fault(
    "bits flipped in the store", injected=f"{FLIPS} times, one random bit of the file"
)
def test_a_flipped_bit_is_told_or_changes_nothing(path: Path, fault: Fault) -> None:
    begin(path)
    truth = everything(path)
    sound = path.with_name("sound.sqlite")
    shutil.copy(path, sound)
    rng = random.Random(6)
    mended = harmless = refused = 0
    for _ in range(FLIPS):
        for file in path.parent.glob(f"{path.name}*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        shutil.copy(sound, path)
        place, bit = rng.randrange(path.stat().st_size), rng.randrange(8)
        flip(path, place, bit)
        damaged = path.read_bytes()
        started()
        try:
            assert everything(path) == truth, f"bit {bit} of byte {place}: silently wrong"
            harmless += 1
            continue
        except MendedError:
            mended += 1
        except StoreError:
            refused += 1
            continue
        aside = path.with_name(f"{path.name}.damaged-1")
        assert aside.read_bytes() == damaged
        for run, found in everything(path).items():
            assert found == truth[run] or REMARK in found, f"bit {bit} of byte {place}"
    assert mended > FLIPS // 3
    assert mended + harmless + refused == FLIPS
    fault.saw = (
        f"{mended} times one sentence: set aside, what is whole kept; {refused} times one sentence "
        f"with the way out; {harmless} times the bit was in unused space"
    )
    fault.lost = "the damaged rows; the file set aside still has them"


CHANGES = {
    "a value of a series": "UPDATE points SET vals = zeroblob(length(vals)) WHERE run = ?",
    "a report": "UPDATE reports SET figures = replace(figures, '0.97', '0.98') WHERE run = ?",
    "a mark": "UPDATE marks SET at = at + 1 WHERE run = ?",
    "a verdict": "UPDATE verdicts SET at = at + 1 WHERE run = ?",
    "the weights": "UPDATE weights SET data = zeroblob(5000) WHERE run = ?",
    "a checkpoint": "UPDATE checkpoints SET state = zeroblob(9000) WHERE run = ?",
    "a setting": "UPDATE runs SET config = replace(config, '\"seed\": 3', '\"seed\": 4') WHERE id = ?",
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_sqlite_finds_nothing_wrong_with_is_found(path: Path, what: str) -> None:
    kept = begin(path)
    hurt = 0
    with sqlite3.connect(path) as connection:
        for run in kept:
            hurt += connection.execute(CHANGES[what], (run,)).rowcount
    assert hurt
    started()
    with pytest.raises(MendedError, match="was damaged: it lies beside its place as"):
        everything(path)
    left = everything(path)
    assert len(left) == (0 if what == "a setting" else 3)
    if what != "a setting":  # without them the run is gone, but from the file set aside
        assert any(REMARK in found for found in left.values())


def test_a_part_that_no_longer_says_whose_it_is_may_be_missing_anywhere(path: Path) -> None:
    begin(path)
    truth = everything(path)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE reports SET run = 'x' || run WHERE rowid = (SELECT max(rowid) FROM reports)"
        )
    said = str(repair.mend(path, repair.identity(path)))
    assert "3 of 3 runs in it could be kept, 1 of their parts were damaged; try again." in said
    left = everything(path)
    assert left.keys() == truth.keys()
    assert all(REMARK in found for found in left.values())


@pytest.mark.parametrize(
    ("name", "also"), [(b"\xe6igures TEXT", "but not all of it"), (b"figurfs TEXT", "")]
)
def test_the_name_of_a_column_may_be_no_text_or_another(path: Path, name: bytes, also: str) -> None:
    begin(path)
    content = path.read_bytes()
    assert content.count(b"figures TEXT") == 1
    path.write_bytes(content.replace(b"figures TEXT", name))
    started()
    with pytest.raises(MendedError, match=f"3 of 3 runs in it could be kept, {also}"):
        everything(path)
    assert all(REMARK in found for found in everything(path).values())


def test_rows_whose_checksums_have_lost_their_name_are_kept_with_a_remark(path: Path) -> None:
    begin(path)
    truth = everything(path)
    content = path.read_bytes()
    place = content.index(b", checksum INTEGER", content.index(b"CREATE TABLE points"))
    path.write_bytes(content[:place] + b", cheaksum INTEGER" + content[place + 18 :])
    started()
    with pytest.raises(MendedError, match="3 of 3 runs in it could be kept, but not all of it"):
        everything(path)
    left = everything(path)
    assert left.keys() == truth.keys()
    assert all(REMARK in found for found in left.values())


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_of_a_store_that_was_cut_short_is_kept_what_is_left(path: Path, share: float) -> None:
    begin(path)
    truth = everything(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    status, said = runs()
    assert status == 2
    assert "damaged-1" in said
    assert "3 of 3 runs in it could be kept, " in said
    assert "not all of it could be read; try again." in said
    assert len(said.splitlines()) == 1
    assert runs()[0] == 0
    assert path.with_name(f"{path.name}.damaged-1").stat().st_size == int(share * len(content))
    left = everything(path)
    assert left.keys() == truth.keys()
    assert all(REMARK in found for found in left.values())


@pytest.mark.fault("the store was cut short", injected="half of the file cut off")
def test_half_of_a_store(path: Path, fault: Fault) -> None:
    begin(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    status, said = runs()
    assert status == 2
    fault.saw = said.replace(str(path), "…/runs.sqlite")
    fault.lost = "what lay in the half that is gone"
    assert runs()[0] == 0


def test_a_second_damage_gets_a_name_of_its_own(path: Path) -> None:
    for number in (1, 2):
        begin(path)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        assert f"damaged-{number}" in runs()[1]
    assert len(list(path.parent.glob(f"{path.name}.damaged-?"))) == 2


def test_a_run_that_begins_on_a_damaged_store_is_kept(path: Path) -> None:
    begin(path)
    path.write_bytes(path.read_bytes()[:20_000])
    started()
    keeper = recorder(RunRequest(RunConfig()))
    assert keeper
    assert "was damaged: it lies beside" in keeper.notice
    feed(keeper, range(1, 41))
    keeper.close(state(40, phase=Phase.FINISHED))
    assert "was damaged: it lies beside" in keeper.notice
    with Store(path) as store:
        assert store.run(keeper.run).updates == 40


def test_a_store_with_a_run_under_way_is_not_set_aside(path: Path) -> None:
    begin(path)
    keeper = StoreRecorder(path)
    keeper.record(state(1), ())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE points SET vals = zeroblob(8)")
    with pytest.raises(StoreError, match=f"damaged, and run {keeper.run} is under way"):
        everything(path)
    assert not list(path.parent.glob(f"{path.name}.damaged-*"))
    keeper.close(state(1))
    with pytest.raises(MendedError):
        everything(path)


def test_two_that_read_the_same_damage_mend_it_once(path: Path) -> None:
    run = begin(path)[0]
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE points SET vals = zeroblob(8) WHERE run = ?", (run,))
    with Store(path) as first, Store(path) as second:
        with pytest.raises(MendedError, match="lies beside its place as"):
            first.points(run)
        mended = everything(path)
        with pytest.raises(MendedError, match="another bntui has mended it: try again"):
            second.points(run)
    assert everything(path) == mended
    assert not path.with_name(f"{path.name}.damaged-2").exists()


@pytest.mark.fault("another program holds the store", injected="a lock on the whole file")
def test_a_locked_store_is_one_sentence(
    path: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(path)
    monkeypatch.setattr("bntui.store.connection.PATIENCE", 0.1)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE runs SET note = note")
        other.execute("COMMIT")
        status, said = runs()
    other.close()
    assert status == 2
    fault.saw = said.replace(str(path), "…/runs.sqlite")
    fault.lost = "nothing"
    assert runs()[0] == 0


@pytest.mark.fault("the store is a newer version's", injected="format 99")
def test_a_newer_store_is_one_sentence(path: Path, fault: Fault) -> None:
    connection = connect(path, patience=1.0)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    status, said = runs()
    assert status == 2
    assert path.read_bytes() == before
    fault.saw = said.replace(str(path), "…/runs.sqlite")
    fault.lost = "nothing"


@pytest.mark.fault("the store is another kind of file", injected="a text in its place")
def test_another_kind_of_file_is_one_sentence(path: Path, fault: Fault) -> None:
    path.write_text("a shopping list\n" * 100)
    status, said = runs()
    assert status == 2
    assert path.read_text() == "a shopping list\n" * 100
    fault.saw = said.replace(str(path), "…/runs.sqlite")
    fault.lost = "nothing"


def damage(path: Path) -> None:
    """Damage a page in the middle of the store."""
    begin(path)
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    path.write_bytes(content)
    started()


def test_what_is_saved_is_all_in_the_file_that_is_moved(path: Path) -> None:
    damage(path)
    new = path.with_name("new.sqlite")
    repair._rescue(path, new)
    # Its header's words for a store with a rollback journal. With SQLite's other journal a full
    # disk may leave what was written in a file beside it, and closing does not say so.
    assert new.read_bytes()[18:20] == b"\x01\x01"
    assert not list(path.parent.glob("new.sqlite-*"))


def test_a_store_stays_where_it_is_until_what_is_whole_is_saved(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    damage(path)
    before = path.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(repair, "_copy", full)
        with pytest.raises(sqlite3.Error):
            repair.mend(path, repair.identity(path))
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.mending*"))
    assert isinstance(repair.mend(path, repair.identity(path)), MendedError)
    assert path.with_name(f"{path.name}.damaged-1").read_bytes() == before


def test_a_store_may_be_named_from_the_folder_one_is_in(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(path)
    monkeypatch.chdir(path.parent)
    named = Path(path.name)
    assert isinstance(repair.mend(named, repair.identity(named)), MendedError)


def test_what_became_of_a_store_is_said_also_by_a_run_that_can_not_begin(path: Path) -> None:
    damage(path)
    result = CliRunner().invoke(cli, ["run", "--device", "cuda:99"], prog_name="bntui")
    assert result.exit_code == 2
    assert "was damaged: it lies beside" in result.stderr
    assert "cuda:99" in result.stderr


def test_and_once_only_by_one_that_says_more(path: Path) -> None:
    damage(path)
    words = ["--width", "0.03125", "--device", "cpu", "--train-size", "64", "--batch-size", "32"]
    more = ["--no-bn", "--at", "100:recalibrate", "--steps", "200"]
    result = CliRunner().invoke(cli, ["run", *words, *more], prog_name="bntui")
    assert result.exit_code == 0
    assert result.stderr.count("was damaged: it lies beside") == 1
    assert "nothing to recalibrate" in result.stderr
