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
from tests.sweeps.tiny import SECONDS, design

PACE = 10.0
UPDATES = 12
"""Of an epoch, in the longer cells."""
MOST_REPEATED = 80
"""Updates that a kill may cost: 8 seconds on a machine that is busy; on one that is not it is a second."""


@pytest.mark.system
@pytest.mark.timeout(600)
def test_some_kills_cost_last_seconds_alone(tmp_path: Path) -> None:
    survive(tmp_path, kills=4, epochs=12, seeds=(0,), draws=random.Random(19))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_twenty_kills_cost_last_seconds_alone(tmp_path: Path) -> None:
    survive(tmp_path, kills=20, epochs=40, seeds=(0, 1), draws=random.Random(20))


def survive(
    folder: Path, *, kills: int, epochs: int, seeds: tuple[int, ...], draws: random.Random
) -> None:
    """Run a sweep whose drivers and workers are killed so often, and compare it with one left alone.

    The last kill is of the driver, when a cell has more updates than a kill may cost.
    """
    path, undisturbed = folder / "runs.sqlite", folder / "undisturbed.sqlite"
    cells = design(folder, epochs=epochs, seeds=seeds, pace=PACE)
    for cell in design(folder, epochs=epochs, seeds=seeds).cells():
        run_itself(undisturbed, cell)
    last = 0.85 * UPDATES * epochs
    assert last > MOST_REPEATED
    seen: dict[str, tuple[int, State]] = {}
    driver = driving(path, folder, cells)
    killed = 0
    for moment in [*sorted(draws.uniform(1.0, last) for _ in range(kills - 1)), last]:
        if not comes_to(moment, driver, path, cells, seen):
            break
        killed += 1
        victims = [driver.pid, *(process.pid for process in workers(driver.pid))]
        victim = driver.pid if moment == last else draws.choice(victims)
        psutil.Process(victim).send_signal(signal.SIGKILL)
        if victim == driver.pid:
            driver.communicate()
            driver = driving(path, folder, cells)
    assert killed == kills
    told = finish(driver, path, cells, seen)
    assert told == " ()\n"
    check_equal(path, undisturbed, cells)


def comes_to(
    moment: float,
    driver: "subprocess.Popen[str]",
    path: Path,
    cells: Design,
    seen: dict[str, tuple[int, State]],
) -> bool:
    """Wait until a cell that is under way has so many updates; return False if the sweep ends before."""
    until = monotonic() + SECONDS
    while look(path, cells, seen) < moment:
        assert monotonic() < until
        if driver.poll() is not None:
            return False
        sleep(0.05)
    return True


def finish(
    driver: "subprocess.Popen[str]", path: Path, cells: Design, seen: dict[str, tuple[int, State]]
) -> str:
    """Wait for the end of a driver, and return what it says."""
    while driver.poll() is None:
        look(path, cells, seen)
        sleep(0.05)
    return driver.communicate()[0]


def look(path: Path, cells: Design, seen: dict[str, tuple[int, State]]) -> int:
    """Return the most updates of a cell that is under way.

    Of what is finished none may be run again, and of others little. `seen` is what was seen of each before.
    """
    if not path.exists():
        return 0
    most = 0
    with Store(path) as store:
        for cell in cells.cells():
            run = store.sound(cell.id)
            if run is None:
                continue
            updates, state = seen.get(cell.id, (0, State.RUNNING))
            assert run.updates >= updates - MOST_REPEATED
            assert state is not State.FINISHED or run.state is state, "it is run again"
            seen[cell.id] = run.updates, run.state
            if run.state is not State.FINISHED:
                most = max(most, run.updates)
    return most
