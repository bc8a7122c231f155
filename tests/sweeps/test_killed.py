"""Kills at random moments of drivers and workers: what they leave equals an undisturbed sweep's bit for bit."""

import random
import signal
import subprocess
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest

from bntui.core.sweep import Design
from bntui.store.database import Store
from bntui.store.writing import State
from tests.sweeps.led import check_equal, driving, workers
from tests.sweeps.test_worker import run_itself
from tests.sweeps.tiny import design

PACE = 30.0
SEEDS = (0, 1)
REPEATED_SECONDS = 10.0
"""Of a cell's work, that a kill may cost on a machine that is busy; on one that is not it is a second."""


@pytest.mark.system
@pytest.mark.timeout(600)
def test_some_kills_cost_last_seconds_alone(tmp_path: Path) -> None:
    survive(tmp_path, kills=6, epochs=12, draws=random.Random(19))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_twenty_kills_cost_last_seconds_alone(tmp_path: Path) -> None:
    survive(tmp_path, kills=20, epochs=40, draws=random.Random(20))


def survive(folder: Path, *, kills: int, epochs: int, draws: random.Random) -> None:
    """Run a sweep whose drivers and workers are killed so often, and compare it with one left alone."""
    path, undisturbed = folder / "runs.sqlite", folder / "undisturbed.sqlite"
    cells = design(folder, epochs=epochs, seeds=SEEDS, pace=PACE)
    for cell in design(folder, epochs=epochs, seeds=SEEDS).cells():
        run_itself(undisturbed, cell)
    seen: dict[str, tuple[int, State]] = {}
    driver = driving(path, folder, cells)
    for _ in range(kills):
        let_work(path, cells, seen, draws.uniform(0.5, 3.0))
        victim = draws.choice([driver.pid, *(process.pid for process in workers(driver.pid))])
        psutil.Process(victim).send_signal(signal.SIGKILL)
        if victim == driver.pid:
            driver.communicate()
            driver = driving(path, folder, cells)
    told = finish(driver, path, cells, seen)
    assert told == " ()\n"
    check_equal(path, undisturbed, cells)


def let_work(path: Path, cells: Design, seen: dict[str, tuple[int, State]], seconds: float) -> None:
    """Wait until a cell has come further, and then so many seconds more."""
    until = monotonic() + 100.0
    before = look(path, cells, seen)
    while look(path, cells, seen) == before:
        assert monotonic() < until
        sleep(0.05)
    until = monotonic() + seconds
    while monotonic() < until:
        look(path, cells, seen)
        sleep(0.05)


def finish(
    driver: "subprocess.Popen[str]", path: Path, cells: Design, seen: dict[str, tuple[int, State]]
) -> str:
    """Wait for the end of a driver, and return what it says."""
    while driver.poll() is None:
        look(path, cells, seen)
        sleep(0.05)
    return driver.communicate()[0]


def look(path: Path, cells: Design, seen: dict[str, tuple[int, State]]) -> int:
    """Return the updates of all cells; of what is finished none may be run again, and of others little.

    `seen` has the most updates of each that were seen, and how it stood last.
    """
    if not path.exists():
        return 0
    total = 0
    with Store(path) as store:
        for cell in cells.cells():
            run = store.sound(cell.id)
            if run is None:
                continue
            updates, state = seen.get(cell.id, (0, State.RUNNING))
            assert run.updates >= updates - PACE * REPEATED_SECONDS
            assert state is not State.FINISHED or run.state is state, "it is run again"
            seen[cell.id] = max(updates, run.updates), run.state
            total += run.updates
    return total
