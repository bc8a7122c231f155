"""Stores as every released version wrote them: each is brought up to date, nothing in it lost."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bntui.core.config import Knobs, RunConfig
from bntui.core.measured import Noise
from bntui.core.snapshot import Mark
from bntui.core.sweep import Axis, Design
from bntui.store.checksum import CHECKED
from bntui.store.database import Store
from bntui.store.export.csv_and_json import json_lines
from bntui.store.repair import identity, mend
from bntui.store.schema import MIGRATIONS
from bntui.store.writing import State, put
from tests.store.recorded import CONFIG, loss, report

FORMATS = Path(__file__).parent / "formats"
"""A dump for each format, made with that version of bntui; the runs are those of `recorded.keep`."""

CELLS = [
    "e8670d33fc65",
    "26f760cef884",
    "1b829c48f3d1",
    "e85c37fb94d5",
    "f8cd61e39084",
    "76252177caa9",
    "cb68b6358d71",
    "dc1802db4eb2",
]
"""The ids of the runs of the sweep there: with others it would have to begin anew."""
WORDS = (
    '{"cause": "stale: start values", "evidence": ["It says \'1\' to 98%."], "outlook": "Sound in 8 '
    'updates.", "remedies": [{"kind": "recalibrate", "value": null, "accuracy": null, "instead_of": '
    'null, "update": 97, "images": null}], "cure": "recalibrate (--at 97:recalibrate)"}'
)
"""A verdict as versions wrote it that worded remedies for the command line."""


def old(path: Path, number: int) -> None:
    """Make the store that a version of bntui with this format left."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript((FORMATS / f"{number}.sql").read_text(encoding="utf-8"))


def test_there_is_a_store_of_every_format() -> None:
    numbers = sorted(int(file.stem) for file in FORMATS.glob("*.sql"))
    assert numbers == list(range(1, len(MIGRATIONS) + 1))


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS) + 1))
def test_what_was_kept_is_still_there(tmp_path: Path, number: int) -> None:
    path = tmp_path / "runs.sqlite"
    old(path, number)
    with Store(path) as store:
        stopped, finished = store.runs()
        assert (finished.id, stopped.id) == ("a" * 12, "b" * 12)
        assert (finished.state, stopped.state) == (State.FINISHED, State.STOPPED)
        assert finished.config == CONFIG
        assert finished.pinned
        assert finished.note.startswith("kept by format")
        assert (finished.updates, finished.val_acc) == (20, report(1).val_acc)
        points = store.points(finished.id)["train_loss"]
        assert points.updates.tolist() == list(range(1, 21))
        assert points.values.tolist() == [loss(update) for update in range(1, 21)]
        assert store.marks(finished.id) == (Mark(7, "momentum 0.97→0.9", "momentum=0.9"),)
        assert [found.loss for found in store.reports(finished.id)] == [report(1).loss]
        assert store.weights(stopped.id) == (20, b"weights")
        checkpoint = store.last_checkpoint(stopped.id)
        assert checkpoint is not None
        assert (checkpoint.update, checkpoint.state) == (16, b"a state")
        store.set_note(finished.id, "and it can be written to")
        assert store.run(finished.id).note == "and it can be written to"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS) + 1))
def test_verdicts_whose_remedies_were_kept_in_words_have_the_same_words(
    tmp_path: Path, number: int
) -> None:
    path = tmp_path / "runs.sqlite"
    old(path, number)
    row = ("a" * 12, 7, "stale: start values", WORDS)
    with closing(sqlite3.connect(path)) as connection, connection:
        if number == 1:  # it had no checksums
            connection.execute("INSERT INTO verdicts VALUES (?, ?, ?, ?)", row)
        else:
            put(connection, "verdicts", *row)
    with Store(path) as store:
        (found,) = store.verdicts("a" * 12)
        assert (found.evidence, found.outlook) == (("It says '1' to 98%.",), "Sound in 8 updates.")
        assert (found.remedies, found.cure) == ((), "recalibrate (--at 97:recalibrate)")
        assert store.remarks == []
        events = [json.loads(line) for line in json_lines(store, "a" * 12)]
    (verdict,) = (event for event in events if event["event"] == "verdict")
    assert verdict["cure"] == "recalibrate (--at 97:recalibrate)"
    assert verdict["remedies"] == []


def test_measurements_that_a_version_kept_are_still_there(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    old(path, 4)
    with Store(path) as store:
        (noise,) = store.details("a" * 12).values()
        assert noise.value == Noise(20, 12.5, 16, 3, 1.0, 50.0, 4.0, 40.0)
        assert store.details("b" * 12) == {}
        assert store.remarks == []


def test_sweeps_that_a_version_kept_are_still_there(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    old(path, 5)
    with Store(path) as store:
        (sweep,) = store.sweeps()
        assert sweep == store.sweep("sweep-1")
        assert sweep.design == Design(
            RunConfig(width=0.25, epochs=3, knobs=Knobs(momentum=0.97)),
            (Axis("batch_size", (64, 256)), Axis("train_size", (None, 500))),
            (0, 1),
        )
        assert [cell.id for cell in sweep.design.cells()] == CELLS
        assert store.remarks == []


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS) + 1))
def test_all_definitions_of_tables_are_in_the_first_page(tmp_path: Path, number: int) -> None:
    path = tmp_path / "runs.sqlite"
    old(path, number)
    with Store(path) as store:
        tables = len(CHECKED)
        assert store.runs()
    page = path.read_bytes()[:4096]
    assert page[100] == 13  # a leaf: there are no other pages of definitions
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
        ).fetchone()
    assert found == tables


def test_what_can_be_read_of_a_damaged_store_without_checksums_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    old(path, 1)
    assert "2 of 2 runs in it could be kept; try again." in str(mend(path, identity(path)))
    with Store(path) as store:
        assert {run.id for run in store.runs()} == {"a" * 12, "b" * 12}
