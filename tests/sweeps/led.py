"""Drivers with real processes, in this process or in one that can be killed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import psutil

from bntui.core.sweep import Cell, Design
from bntui.store.database import Store
from bntui.sweeps.driver import Driver
from bntui.sweeps.on_ray import RayCluster
from bntui.sweeps.processes import Processes
from tests.children import environment
from tests.sweeps.tiny import SECONDS, kept

DRIVING = """
import sys
from pathlib import Path
from tests.sweeps.led import lead
from tests.sweeps.tiny import design

path, folder, address, epochs, pace, *seeds = sys.argv[1:]
cells = design(Path(folder), epochs=int(epochs), pace=float(pace), seeds=tuple(map(int, seeds)))
led = lead(Path(path), cells, address=address)
led.join()
print(led.failure, led.failures)
"""


def lead(path: Path, cells: Design, jobs: int = 2, address: str = "") -> Driver:
    """Start a driver in this process, of processes or of the Ray cluster at an address."""
    executor = RayCluster(address, 1) if address else Processes(jobs, 1)
    led = Driver(path, "sweep-1", cells, executor)
    led.start()
    return led


def driving(path: Path, folder: Path, cells: Design, address: str = "") -> "subprocess.Popen[str]":
    """Start a driver in a process of its own, whose working directory may be any."""
    base = cells.base
    words = [str(path), str(folder), address, str(base.epochs), str(base.knobs.pace)]
    return subprocess.Popen(
        [sys.executable, "-c", DRIVING, *words, *map(str, cells.seeds)],
        stdout=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip


def workers(parent: int | None = None) -> list[psutil.Process]:
    """Return the processes that a driver of a process has, by default of this one."""
    found = psutil.Process(parent).children()
    return [one for one in found if "bntui.sweeps.worker_process" in words(one)]


def words(process: psutil.Process) -> str:
    """Return the command line of a process; empty if it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def is_gone(process: psutil.Process) -> bool:
    """Tell whether a process has ended, though nobody may have asked how."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def updates(path: Path, cell: Cell) -> int:
    """Return how far a cell is, as far as others can see."""
    if not path.exists():
        return 0
    with Store(path) as store:
        run = store.sound(cell.id)
        return run.updates if run else 0


def wait_until(true: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Wait for a condition."""
    until = monotonic() + seconds
    while not true():
        assert monotonic() < until
        sleep(0.01)


def ended(led: Driver) -> None:
    """Wait for a driver's end."""
    assert led.join(SECONDS)
    assert led.over


def check_equal(path: Path, undisturbed: Path, cells: Design) -> None:
    """Check that a sweep's results are those of another, to the last bit."""
    for cell in cells.cells():
        assert kept(path, cell.id) == kept(undisturbed, cell.id)
