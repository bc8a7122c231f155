"""Kills at random moments of drivers, workers and nodes: what they leave equals an undisturbed sweep bit for bit."""

import random
import subprocess
from collections import Counter
from pathlib import Path
from time import monotonic, sleep

import pytest

from bntui.core.sweep import Design
from bntui.store.database import Store
from bntui.store.writing import State
from tests.sweeps.by_itself import run_itself
from tests.sweeps.led import check_equal, driving, workers
from tests.sweeps.ray_cluster import Loopback, loopback, needs_ray
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


@needs_ray
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_twenty_kills_on_a_ray_cluster_cost_last_seconds_alone(tmp_path: Path) -> None:
    with loopback() as cluster:
        cluster.add()
        cluster.add()
        survive(
            tmp_path, kills=20, epochs=40, seeds=(0, 1), draws=random.Random(21), cluster=cluster
        )


def survive(
    folder: Path,
    *,
    kills: int,
    epochs: int,
    seeds: tuple[int, ...],
    draws: random.Random,
    cluster: Loopback | None = None,
) -> None:
    """Run a sweep of which so often something is killed, and compare it with one left alone.

    The last kill is of the driver, when a cell has more updates than a kill may cost.
    """
    path, undisturbed = folder / "runs.sqlite", folder / "undisturbed.sqlite"
    cells = design(folder, epochs=epochs, seeds=seeds, pace=PACE)
    for cell in design(folder, epochs=epochs, seeds=seeds).cells():
        run_itself(undisturbed, cell)
    last = 0.85 * UPDATES * epochs
    assert last > MOST_REPEATED
    seen: dict[str, tuple[int, State]] = {}
    address = cluster.address if cluster else ""
    driver = driving(path, folder, cells, address)
    killed: Counter[str] = Counter()
    reached = 0.0
    for moment in [*sorted(draws.uniform(1.0, last) for _ in range(kills - 1)), last]:
        # What is killed goes on first: a cell whose worker dies again and again is given up.
        reached = comes_to(max(moment, reached + PACE), driver, path, cells, seen)
        victims = ["driver", "worker", *(["node"] if cluster else [])]
        victim = "driver" if moment >= last else draws.choice(victims)
        killed[victim] += 1
        if victim == "node":
            assert cluster
            cluster.kill()
            cluster.add()
        elif victim == "worker":
            kill_worker(driver, cluster)
        else:
            driver.kill()
            driver.communicate()
            driver = driving(path, folder, cells, address)
    print(f"killed: {dict(killed)}")
    told = finish(driver, path, cells, seen)
    assert told == " ()\n"
    check_equal(path, undisturbed, cells)


def kill_worker(driver: "subprocess.Popen[str]", cluster: Loopback | None) -> None:
    """Kill the process that runs one of the cells, once there is one."""
    until = monotonic() + SECONDS
    while not (found := cluster.workers() if cluster else workers(driver.pid)):
        assert monotonic() < until
        sleep(0.05)
    found[0].kill()


def comes_to(
    moment: float,
    driver: "subprocess.Popen[str]",
    path: Path,
    cells: Design,
    seen: dict[str, tuple[int, State]],
) -> int:
    """Wait until a cell that is under way has so many updates, and return how many it has."""
    until = monotonic() + SECONDS
    while (most := look(path, cells, seen)) < moment:
        assert monotonic() < until
        assert driver.poll() is None, "the sweep has ended"
        sleep(0.05)
    return most


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
