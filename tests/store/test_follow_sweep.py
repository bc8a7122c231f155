"""A sweep that is looked at: what the store has of its cells shows within a second, whoever runs them."""

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bntui.core.snapshot import Phase
from bntui.core.sweep import Standing
from bntui.store import follow_sweep
from bntui.store.database import Store
from bntui.store.follow_sweep import FollowedSweep, read_sweep
from bntui.store.repair import MendedError
from tests.children import started
from tests.store.another_user import nobody
from tests.store.cells import at, saved
from tests.store.followed import (
    CELLS,
    DESIGN,
    NAME,
    PATIENCE,
    Follow,
    keep,
    outcome,
    report,
    standings,
    take,
    until,
    write,
)

pytestmark = pytest.mark.usefixtures("sweep_is_kept")


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
from tests.store.cells import at
from tests.store.followed import CELLS, write

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
