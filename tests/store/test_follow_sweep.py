"""A sweep that is looked at: what the store has of its cells shows within a second, whoever runs them."""

import math
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from bntui.core.config import RunConfig
from bntui.core.estimators import ROWS
from bntui.core.snapshot import EpochReport, Phase, Snapshot
from bntui.core.sweep import Axis, Cell, CellState, Design, EpochOutcome, Standing, SweepView
from bntui.store import follow_sweep, sweep_cells
from bntui.store.claims import Claim, claim
from bntui.store.database import Store
from bntui.store.follow_sweep import FollowedSweep, read_sweep
from bntui.store.repair import MendedError
from bntui.store.schema import StoreError
from bntui.store.sweep_cells import SweepCells
from tests.children import started
from tests.store.recorded import report as recorded_report
from tests.store.test_claims import at, saved
from tests.store.test_file_systems import nobody
from tests.store.test_untrusted import change as change_row
from tests.ui.scripted import facts

PATIENCE = 60.0
DESIGN = Design(RunConfig(width=0.25, epochs=2), (Axis("batch_size", (16, 64)),), (0, 1))
CELLS = DESIGN.cells()
NAME = "sweep-1"
HINDSIGHT = tuple((name, round(0.01 * place, 2)) for place, name in enumerate(ROWS))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "runs.sqlite"
    with Store(path) as store:
        store.put_sweep(NAME, DESIGN)
    return path


@pytest.fixture
def follow(path: Path) -> Iterator[Callable[[], FollowedSweep]]:
    begun: list[FollowedSweep] = []

    def begin() -> FollowedSweep:
        followed = FollowedSweep(path, NAME)
        begun.append(followed)
        followed.start()
        return followed

    yield begin
    assert all(followed.leave(PATIENCE) for followed in begun)


Follow = Callable[[], FollowedSweep]


def until(followed: FollowedSweep, condition: Callable[[SweepView], bool]) -> SweepView:
    """Return the first view seen of which a condition is true."""
    end = time.monotonic() + PATIENCE
    while not condition(view := followed.view):
        assert time.monotonic() < end, f"{view.message!r} {[one.standing for one in view.cells]}"
        time.sleep(0.01)
    return view


def report(epoch: int, **changes: Any) -> EpochReport:
    values = {"val_acc": 0.1 * epoch, "val_acc_fresh": 0.9, "hindsight": HINDSIGHT}
    return recorded_report(epoch, **{**values, **changes})


def outcome(epoch: int) -> EpochOutcome:
    rows = tuple(value for _, value in HINDSIGHT)
    return EpochOutcome(epoch, 16 * epoch, 0.1 * epoch, 0.9, rows)


def take(path: Path, cell: Cell, **how: Any) -> Claim:
    found = claim(path, cell, f"sweep {NAME}", **how)
    assert found is not None
    return found


def write(found: Claim, snapshot: Snapshot) -> None:
    """Write a state of a run now: at a change of phase."""
    found.recorder.record(replace(snapshot, phase=Phase.PAUSED), ())
    found.recorder.record(snapshot, ())
    assert not found.recorder.problem


def keep(path: Path, cell: Cell, phase: Phase, epochs: int = 2, **changes: Any) -> None:
    """Keep a cell's run that has ended so."""
    found = take(path, cell)
    for epoch in range(1, epochs + 1):
        found.recorder.report(report(epoch))
    found.recorder.close(at(cell, 16 * epochs, phase=phase, **changes))
    assert not found.recorder.problem


def standings(view: SweepView) -> list[Standing]:
    return [one.standing for one in view.cells]


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


def test_each_change_shows(path: Path, follow: Follow) -> None:
    followed = follow()
    found = take(path, CELLS[1])
    until(followed, lambda view: standings(view)[1] is Standing.RUNNING)
    for epoch in (1, 2):
        found.recorder.report(report(epoch))
        write(found, at(CELLS[1], 16 * epoch))
        view = until(followed, lambda view, epoch=epoch: len(view.cells[1].epochs) == epoch)  # type: ignore[misc]
        assert view.cells[1].epochs[-1] == outcome(epoch)
        assert view.cells[1].updates == 16 * epoch
    found.recorder.close(at(CELLS[1], 32, phase=Phase.FINISHED))
    view = until(followed, lambda view: view.cells[1].standing is Standing.FINISHED)
    assert view.message == ""
    assert [view.cells[place].standing for place in (0, 2, 3)] == [Standing.WAITING] * 3
    assert view == read_sweep(path, NAME)


def test_the_view_is_the_same_object_while_nothing_changes(path: Path) -> None:
    keep(path, CELLS[0], Phase.FINISHED)
    followed = FollowedSweep(path, NAME)
    first = followed.view
    assert followed._read()
    followed._publish()
    read = followed.view
    assert read is not first
    with Store(path) as store:
        store.set_note(CELLS[0].id, "which is not shown")
        store.put_sweep("another", replace(DESIGN, seeds=(7,)))
    keep(path, replace(CELLS[0], id="abcdef123456"), Phase.FINISHED)  # of no sweep
    followed._looked = -1e9
    assert followed._read()
    followed._publish()
    assert followed.view is read
    assert followed.view.cells[1:] == first.cells[1:]
    followed._close()


def test_what_ended_just_before_it_is_left_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_sweep, "POLL_SECONDS", PATIENCE)
    found = take(path, CELLS[0])
    followed = FollowedSweep(path, NAME)
    followed.start()
    until(followed, lambda view: view.cells[0].standing is Standing.RUNNING)
    for epoch in (1, 2):
        found.recorder.report(report(epoch))
    found.recorder.close(at(CELLS[0], 500, phase=Phase.FINISHED))
    assert followed.leave(PATIENCE / 2)
    assert followed.view.cells[0].standing is Standing.FINISHED


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


def test_a_cell_that_is_taken_back_loses_its_epochs(path: Path, follow: Follow) -> None:
    keep(path, CELLS[0], Phase.STOPPED, 1, **saved(CELLS[0], 8))
    keep(path, CELLS[1], Phase.FAILED, 1)
    followed = follow()
    until(followed, lambda view: bool(view.cells[0].epochs and view.cells[1].epochs))
    resumed, anew = take(path, CELLS[0]), take(path, CELLS[1], retry_failed=True)
    view = until(followed, lambda view: standings(view)[:2] == [Standing.RUNNING] * 2)
    assert view.cells[0].epochs == (outcome(1),)  # until it is written
    write(resumed, at(CELLS[0], 8))
    write(anew, at(CELLS[1], 1))
    view = until(followed, lambda view: not view.cells[0].epochs and not view.cells[1].epochs)
    assert [one.updates for one in view.cells[:2]] == [8, 1]
    resumed.recorder.close(at(CELLS[0], 8))
    anew.recorder.close(at(CELLS[1], 1))


HOLDING = """
import sys
from pathlib import Path
from bntui.store.claims import claim
from tests.store.test_follow_sweep import CELLS, at, write

found = claim(Path(sys.argv[1]), CELLS[0])
write(found, at(CELLS[0], 20))
print("ready", flush=True)
input()
"""


def test_a_killed_process_has_its_cell_no_longer(path: Path, follow: Follow) -> None:
    followed = follow()
    with started(HOLDING, str(path)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        until(followed, lambda view: standings(view)[0] is Standing.RUNNING)
        process.send_signal(signal.SIGKILL)
        process.wait()
    until(followed, lambda view: standings(view)[0] is Standing.INTERRUPTED)


def test_a_store_reached_by_another_name_tells_of_its_runs(path: Path) -> None:
    found = take(path, CELLS[0])
    write(found, at(CELLS[0], 1))
    link = path.with_name("link.sqlite")
    link.symlink_to(path)
    assert standings(read_sweep(link, NAME))[0] is Standing.RUNNING
    found.recorder.close(at(CELLS[0], 1))


def test_a_store_that_is_removed_is_told_and_found_again(path: Path, follow: Follow) -> None:
    keep(path, CELLS[0], Phase.FINISHED)
    followed = follow()
    before = until(followed, lambda view: standings(view)[0] is Standing.FINISHED)
    aside = path.with_name("aside.sqlite")
    path.rename(aside)
    view = until(followed, lambda view: bool(view.message))
    assert "which is tried again every second" in view.message
    assert view.cells == before.cells
    aside.rename(path)
    assert until(followed, lambda view: not view.message).cells == before.cells


def test_in_another_file_the_sweep_may_be_another(path: Path, follow: Follow) -> None:
    followed = follow()
    until(followed, lambda view: not view.message)
    path.unlink()
    with Store(path) as store:
        assert store.sweeps() == []
    view = until(followed, lambda view: "sweep 'sweep-1' is not in the store" in view.message)
    assert view.design == DESIGN
    other = replace(DESIGN, seeds=(7,))
    with Store(path) as store:
        store.put_sweep(NAME, other)
    view = until(followed, lambda view: not view.message)
    assert view.design == other
    assert [one.cell for one in view.cells] == list(other.cells())


def test_wrong_rows_are_left_out_and_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, follow: Follow
) -> None:
    monkeypatch.setenv("BNTUI_STORE", str(path))
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
def test_wrong_figures_are_left_out(path: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNTUI_STORE", str(path))
    keep(path, CELLS[0], Phase.FINISHED, 1)
    with closing(sqlite3.connect(path)) as connection:
        (figures,) = connection.execute("SELECT figures FROM reports").fetchone()
    change_row("reports", "figures", figures[:-1] + ", " + WRONG[what] + "}")
    view = read_sweep(path, NAME)
    assert view.cells[0].epochs == ()
    assert view.message


def test_a_damaged_store_is_mended_and_told_to_who_follows(path: Path, follow: Follow) -> None:
    keep(path, CELLS[0], Phase.FINISHED)
    followed = follow()
    until(followed, lambda view: standings(view)[0] is Standing.FINISHED)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE runs SET checksum = checksum + 1")
    view = until(followed, lambda view: bool(view.message))
    assert "a row of runs is damaged" in view.message
    assert standings(view)[0] is Standing.FINISHED
    with pytest.raises(MendedError, match="was damaged: it lies beside its place"):
        read_sweep(path, NAME)
    view = until(followed, lambda view: not view.message)
    assert standings(view) == [Standing.WAITING] * 4  # the row was all there was


READING = """
import sys, time
from pathlib import Path
from bntui.store.follow_sweep import FollowedSweep, read_sweep

path = Path(sys.argv[1])
followed = FollowedSweep(path, "sweep-1")
followed.start()
end = time.monotonic() + 60.0
while followed.view.cells[0].standing == "waiting" and time.monotonic() < end:
    time.sleep(0.01)
print(followed.leave(60.0), followed.view == read_sweep(path, "sweep-1"))
print(*(one.standing for one in followed.view.cells), followed.view.message)
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can be somebody else"
)
def test_a_store_that_may_only_be_read_is_followed() -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "runs.sqlite"
        with Store(path) as store:
            store.put_sweep(NAME, DESIGN)
        keep(path, CELLS[0], Phase.FINISHED)
        path.chmod(0o644)
        done = nobody(str(path), code=READING)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["True True", "finished waiting waiting waiting "]
