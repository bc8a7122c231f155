"""What the store has of a sweep's cells, and what is made of rows that are wrong."""

import math
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bntui.core.estimators import ROWS
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.sweep import CellState, EpochOutcome, Standing
from bntui.store import sweep_cells
from bntui.store.database import Store
from bntui.store.follow_sweep import FollowedSweep, read_sweep
from bntui.store.schema import StoreError
from bntui.store.sweep_cells import SweepCells
from tests.store.cells import at
from tests.store.followed import (
    CELLS,
    DESIGN,
    NAME,
    Follow,
    keep,
    outcome,
    report,
    standings,
    take,
    until,
    write,
)
from tests.store.tampered import change_row
from tests.ui.scripted import facts

pytestmark = pytest.mark.usefixtures("sweep_is_kept")


def test_nothing_is_kept_yet(path: Path) -> None:
    view = read_sweep(path, NAME)
    assert (view.name, view.design, view.message) == (NAME, DESIGN, "")
    assert view.cells == tuple(CellState(cell) for cell in CELLS)
    assert not view.over
    with pytest.raises(StoreError, match="sweep 'other' is not in the store"):
        read_sweep(path, "other")


def test_cells_stand_as_the_store_has_them(path: Path) -> None:
    keep(path, CELLS[0], Phase.FINISHED, seconds=3.5)
    keep(path, CELLS[1], Phase.FAILED, 1, message="too \x1b[2J hot")
    keep(path, CELLS[2], Phase.STOPPED, 1)
    found = take(path, CELLS[3])
    view = read_sweep(path, NAME)
    assert view.cells == (
        CellState(
            CELLS[0], Standing.FINISHED, (outcome(1), outcome(2)),
            updates=32, images=64 * 32, seconds=3.5, train=facts().train,
        ),
        CellState(
            CELLS[1], Standing.FAILED, (outcome(1),), updates=16, images=64 * 16, seconds=1.6,
            train=facts().train, message=r"too \x1b[2J hot",
        ),
        CellState(
            CELLS[2], Standing.INTERRUPTED, (outcome(1),), updates=16, images=64 * 16, seconds=1.6,
            train=facts().train,
        ),
        CellState(CELLS[3], Standing.RUNNING),  # it is being loaded
    )  # fmt: skip
    found.recorder.close(Snapshot())
    assert standings(read_sweep(path, NAME))[3] is Standing.WAITING


def test_what_was_not_measured_is_nan(path: Path) -> None:
    found = take(path, CELLS[0])
    some = (("0.99", 0.5), ("0.1234", 0.2), ("warm-up", math.nan))
    found.recorder.report(report(1, val_acc=math.nan, hindsight=some))
    found.recorder.report(report(2, twin="momentum=0.9"))
    found.recorder.close(at(CELLS[0], 16, phase=Phase.FINISHED))
    (only,) = read_sweep(path, NAME).cells[0].epochs
    assert math.isnan(only.own)
    assert only.fresh == 0.9
    assert only.rows[ROWS.index("0.99")] == 0.5
    assert [name for name, value in zip(ROWS, only.rows, strict=True) if value == value] == ["0.99"]


def test_what_was_trained_further_has_finished_with_the_cells_epochs(path: Path) -> None:
    keep(path, CELLS[0], Phase.STOPPED, 3, epoch=3)
    (cell, *_) = read_sweep(path, NAME).cells
    assert (cell.standing, cell.epochs) == (Standing.FINISHED, (outcome(1), outcome(2)))


def test_only_what_is_new_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cell in CELLS[:3]:
        keep(path, cell, Phase.FINISHED)
    read: list[object] = []

    def outcome_of(text: object) -> EpochOutcome:
        read.append(text)
        return real(text)

    real = sweep_cells._outcome
    monkeypatch.setattr(sweep_cells, "_outcome", outcome_of)
    followed = FollowedSweep(path, NAME)
    followed._read()
    assert len(read) == 6
    followed._read()
    assert len(read) == 6
    found = take(path, CELLS[3])
    found.recorder.report(report(1))
    write(found, at(CELLS[3], 16))
    followed._read()
    assert len(read) == 7
    found.recorder.report(report(2))
    write(found, at(CELLS[3], 32))
    followed._read()
    assert len(read) == 9  # the newest before is read again: nobody knows whether it is the same
    found.recorder.close(at(CELLS[3], 32))
    followed._close()


def test_a_large_sweep_is_shown_as_far_as_it_has_been_read(path: Path) -> None:
    for cell in CELLS:
        keep(path, cell, Phase.FINISHED)
    cells = SweepCells(DESIGN)
    with Store(path) as store:
        connection = store._file.connection
        assert not cells.read(connection, -1.0)
        assert [one.standing for one in cells.states(set())] == [Standing.WAITING] * 4
        assert cells.read(connection)
        assert [one.standing for one in cells.states(set())] == [Standing.FINISHED] * 4


def test_wrong_rows_are_left_out_and_told(path: Path, follow: Follow) -> None:
    for cell in CELLS:
        keep(path, cell, Phase.FINISHED)
    change_row("runs", "facts", "[]", CELLS[0].id)
    change_row("reports", "figures", '{"epoch": "first"}', CELLS[1].id)
    change_row("runs", "config", "{}", CELLS[2].id)
    view = read_sweep(path, NAME)
    assert standings(view) == [*[Standing.WAITING, Standing.FINISHED] * 2]
    assert [len(one.epochs) for one in view.cells] == [0, 1, 0, 2]
    assert view.message.startswith(
        f"left out, not as bntui writes it: of run {CELLS[0].id} and 2 others (facts"
    )
    assert until(follow(), lambda view: bool(view.message)) == view


WRONG: dict[str, str] = {
    "an accuracy above 1": '"val_acc": 1.5',
    "a negative one": '"val_acc": -0.1',
    "an infinite one": '"val_acc": "inf"',
    "one of text": '"val_acc": "high"',
    "true for one": '"val_acc": true',
    "an epoch of less than none": '"epoch": -1',
    "a map that is none": '"hindsight": [["0.99", 0.5, 0.6]]',
    "a map of text": '"hindsight": [["0.99", "high"]]',
    "names without texts": '"hindsight": [[0.99, 0.5]]',
    "layers in a text": '"x": "\\"layers\\": [", "y": "], \\"logits_error\\"", "val_acc": 2',
    "brackets without end": '"x": ' + "[" * 5000,
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_figures_are_left_out(path: Path, what: str) -> None:
    keep(path, CELLS[0], Phase.FINISHED, 1)
    with closing(sqlite3.connect(path)) as connection:
        (figures,) = connection.execute("SELECT figures FROM reports").fetchone()
    change_row("reports", "figures", figures[:-1] + ", " + WRONG[what] + "}")
    view = read_sweep(path, NAME)
    assert view.cells[0].epochs == ()
    assert view.message
