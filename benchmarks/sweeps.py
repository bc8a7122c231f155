"""What a sweep costs: `python -m benchmarks.sweeps`.

Cells of the phase diagram a minute beside Ray Tune, which runs the usual PyTorch script once for each
momentum; what a second process brings; what Ray takes for itself; the screen; a sweep that is finished
and called again. What needs Ray is left out where it is not installed, and of the quick round.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import runs
from benchmarks.common import (
    SIZE,
    Effort,
    Row,
    Table,
    alternate,
    in_process,
    main,
    median_ratio,
    surroundings,
)
from benchmarks.usual_sweep import ALONE, ray_tune
from bntui.core.config import Knobs, RunConfig
from bntui.core.estimators import ROWS
from bntui.core.run_request import RunRequest
from bntui.core.sweep import Axis, Cell, CellState, Design, EpochOutcome, Standing, SweepView
from bntui.store.database import Store
from bntui.store.follow_sweep import read_sweep
from bntui.sweeps.driver import Driver
from bntui.sweeps.executor import Ended, Executor, Message
from bntui.sweeps.phase import Choice
from bntui.sweeps.processes import Processes

JOBS = 2
NAME = "benchmark"
TUNE, OURS = "Ray Tune, usual script", "bntui sweep"
NO_TUNE = "Ray Tune is left out: a quick round, or ray[tune] is not installed here."
NO_RAY = "Ray is left out: a quick round, or it is not installed here."


@dataclass(frozen=True, slots=True)
class Size:
    """What is swept."""

    images: int
    width: float
    epochs: int
    batches: tuple[int, ...]
    momenta: tuple[float, ...]
    """Of Ray Tune's trials: a run of ours has them all, so it has as many seeds as these are."""


FULL = Size(4000, 0.25, 10, (64, 256), (0.9, 0.99))
QUICK = Size(256, 0.0625, 1, (64,), (0.99,))
UPDATES_SHOWN = 50
HOPS = 3
"""Turns of the event loop until the screen knows what has changed."""
SMALLEST = RunConfig(
    width=1 / 32, train_size=64, epochs=1, device="cpu", threads=1, knobs=Knobs(batch_size=64)
)
"""A cell in which next to nothing is trained."""


class Clocked:
    """An executor that notes when cells end."""

    def __init__(self, executor: Executor) -> None:
        self.workers = executor.workers
        self.ends: list[float] = []
        self._executor = executor

    def free(self) -> int:
        """Return how many more cells can begin now."""
        return self._executor.free()

    def begin(self, run: str, request: RunRequest) -> None:
        """Begin a cell."""
        self._executor.begin(run, request)

    def receive(self, timeout: float) -> list[tuple[str, Message]]:
        """Return what came from the cells' runs."""
        messages = self._executor.receive(timeout)
        self.ends += [time.perf_counter() for _, one in messages if isinstance(one, Ended)]
        return messages

    def stop(self) -> None:
        """Ask all that is under way to stop."""
        self._executor.stop()

    def close(self) -> None:
        """End what is left."""
        self._executor.close()


def sweep(folder: Path, design: Design, executor: Executor) -> list[float]:
    """Run a sweep; return after how many seconds each of its cells has ended, ascending.

    Raises RuntimeError for a cell that has not finished.
    """
    path = folder / "runs.sqlite"
    with Store(path) as store:
        store.put_sweep(NAME, design)
    clocked = Clocked(executor)
    driver = Driver(path, NAME, design, clocked)
    begun = time.perf_counter()
    driver.start()
    driver.join()
    view = read_sweep(path, NAME)
    if view.count(Standing.FINISHED) != len(view.cells):
        raise RuntimeError(f"cells have not finished: {driver.failure} {driver.message}")
    return [end - begun for end in clocked.ends]


def on_processes(design: Design, jobs: int) -> list[float]:
    """Return when the cells of a new sweep end, in so many processes of one thread."""
    with TemporaryDirectory() as folder:
        return sweep(Path(folder), design, Processes(jobs, 1))


def diagram(
    path: str, batches: list[int], seeds: int, epochs: int, width: float, jobs: int
) -> float:
    """Return the seconds of a sweep with a run of one thread for each batch size and seed."""
    base = RunConfig(dataset=path, width=width, epochs=epochs, device="cpu", threads=1)
    axes = (Axis("batch_size", tuple(batches)),)
    return on_processes(Design(base, axes, tuple(range(seeds))), jobs)[-1]


def jobs_images(jobs: int, images: int, epochs: int, width: float, cells_each: int) -> float:
    """Return images/s of so many jobs together, measuring and keeping included, after each had a cell."""
    base = RunConfig(
        train_size=images, width=width, epochs=epochs, device="cpu", threads=1, knobs=Knobs(64)
    )
    ends = on_processes(Design(base, seeds=tuple(range(jobs * (1 + cells_each)))), jobs)
    return jobs * cells_each * images * epochs / (ends[-1] - ends[jobs - 1])


def seconds_a_cell(cells: int) -> float:
    """Return the seconds that a process takes for each of the smallest cells after its first."""
    ends = on_processes(Design(SMALLEST, seeds=tuple(range(1 + cells))), 1)
    return (ends[-1] - ends[0]) / cells


def seconds_a_cell_on_ray(cells: int) -> float:
    """Return the same for a Ray cluster of one CPU on this machine."""
    os.environ |= ALONE
    from ray.cluster_utils import Cluster

    from bntui.sweeps.on_ray import RayCluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        design = Design(SMALLEST, seeds=tuple(range(1 + cells)))
        with TemporaryDirectory() as folder:
            ends = sweep(Path(folder), design, RayCluster(cluster.address, 1))
    finally:
        cluster.shutdown()
    return (ends[-1] - ends[0]) / cells


def second_call(cells: int) -> float:
    """Return the seconds that `bntui sweep` takes for a sweep that has finished."""
    options = ["--width", "0.03125", "--train-size", "64", "--batch-size", "64", "--epochs", "1"]
    options += ["--device", "cpu", "--seeds", str(cells), "--jobs", "1", "--no-screen"]
    command = [sys.executable, "-m", "bntui", "sweep", *options]
    with TemporaryDirectory() as folder:
        for _ in range(2):
            begun = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=surroundings(folder))
        return time.perf_counter() - begun


def screen(x: int, y: int) -> tuple[float, float]:
    """Return the seconds until a sweep of x·y tiles is shown, and the median of those that news take."""
    return asyncio.run(_screen(x, y))


async def _screen(x: int, y: int) -> tuple[float, float]:
    from bntui.ui.sweeps.app import SweepApp
    from bntui.ui.sweeps.screen import SweepScreen

    rates = tuple(0.001 * (1 + number) for number in range(x))
    widths = tuple(0.05 * (1 + number) for number in range(y))
    design = Design(SMALLEST, (Axis("learning_rate", rates), Axis("width", widths)))
    source = _Source(SweepView(NAME, design, tuple(map(_measured, design.cells()))))
    app = SweepApp(source, None)
    times = []
    begun = time.perf_counter()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        opened = time.perf_counter() - begun
        shown = app.screen
        assert isinstance(shown, SweepScreen)
        shown.choose(Choice("learning_rate", "width"))  # each cell has a tile of its own
        await pilot.pause()
        for number in range(UPDATES_SHOWN):
            cells = list(source.view.cells)
            cells[number] = _measured(cells[number].cell, running=0.5)
            source.view = replace(source.view, cells=tuple(cells))
            begun = time.perf_counter()
            shown.poll()
            for _ in range(HOPS):
                await asyncio.sleep(0)
            shown._on_timer_update()  # what Textual does sixty times a second: it sends what has changed
            times.append(time.perf_counter() - begun)
            await pilot.pause()
    return opened, statistics.median(times)


@dataclass(slots=True)
class _Source:
    """A sweep that the benchmark changes."""

    view: SweepView

    def start(self) -> None:
        """Nothing has to begin."""

    def leave(self, timeout: float) -> bool:
        """Nothing has to end."""
        return True


def _measured(cell: Cell, running: float = 0.8) -> CellState:
    epochs = (EpochOutcome(1, 16, running, 0.9, (running,) * len(ROWS)),)
    return CellState(cell, Standing.FINISHED, epochs, updates=16, train=4000)


def tables(effort: Effort) -> Iterator[Table]:
    """Measure all there is."""
    yield _cells_a_minute(effort)
    yield _costs(effort)
    yield _of_the_screen(effort)


def _cells_a_minute(effort: Effort) -> Table:
    size = QUICK if effort.quick else FULL
    batches, momenta = list(size.batches), list(size.momenta)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "digits.npz"
        what = runs.write_digits(path, size.images)
        same = size.epochs, size.width, JOBS
        programs: dict[str, Callable[[], float]] = {
            OURS: lambda: in_process(diagram, str(path), batches, len(momenta), *same).value
        }
        if not effort.quick and _has_ray_tune():
            programs[TUNE] = lambda: in_process(ray_tune, str(path), batches, momenta, *same).value
        seconds = alternate(programs, effort.rounds, turning=True)
    trained = len(batches) * len(momenta)
    cells = {OURS: trained * size.epochs * len(ROWS), TUNE: trained * size.epochs}
    rates = {name: [60 * cells[name] / one for one in each] for name, each in seconds.items()}
    rows: list[Row] = [
        (
            name,
            trained,
            cells[name],
            statistics.median(seconds[name]),
            statistics.median(rate),
            median_ratio(rate, rates[TUNE]) if TUNE in rates else None,
        )
        for name, rate in rates.items()
    ]
    note = f"{what}, {size.epochs} epochs at width {size.width:g}, batch sizes {batches}, {JOBS} jobs of one "
    note += "thread. A cell is one momentum at one epoch's end: a run of ours measures "
    note += f"{len(ROWS)}, a trial of Ray Tune's one. The start of processes counts, that of Ray itself does not."
    return Table(
        "Sweeps: cells of the phase diagram a minute",
        {
            "program": "",
            "trainings": "d",
            "cells": ",d",
            "seconds": ".1f",
            "cells/min": ",.0f",
            "of Ray Tune": ".1f",
        },
        rows,
        note if TUNE in rates else f"{note} {NO_TUNE}",
    )


def _costs(effort: Effort) -> Table:
    size = (256, 1, 0.0625, 1) if effort.quick else (4000, 2, 0.25, 3)
    cells, again = (1, 1) if effort.quick else (20, 24)
    programs: dict[str, Callable[[], float]] = {
        "one": lambda: in_process(jobs_images, 1, *size).value,
        "two": lambda: in_process(jobs_images, 2, *size).value,
        "process": lambda: in_process(seconds_a_cell, cells).value,
        "again": lambda: second_call(again),
    }
    if not effort.quick and find_spec("ray") is not None:
        programs["ray"] = lambda: in_process(seconds_a_cell_on_ray, cells).value
    found = alternate(programs, effort.rounds, turning=True)
    rows: list[Row] = [
        ("images/s of two jobs, of those of one", median_ratio(found["two"], found["one"])),
        ("seconds of a cell that trains next to nothing", statistics.median(found["process"])),
        (
            f"seconds of the second call of a sweep of {again} runs",
            statistics.median(found["again"]),
        ),
    ]
    if "ray" in found:
        more = [one - other for one, other in zip(found["ray"], found["process"], strict=True)]
        rows.insert(2, ("seconds more of such a cell on Ray", statistics.median(more)))
    return Table(
        "Sweeps: a second job, a cell's overhead, a second call",
        {"what": "", "found": ".2f"},
        rows,
        "After the first cells: the start of processes is left out, except in the second call."
        + ("" if "ray" in found else f" {NO_RAY}"),
    )


def _of_the_screen(effort: Effort) -> Table:
    x, y = (20, 10) if effort.quick else (50, 40)
    found = [in_process(screen, x, y).value for _ in range(effort.rounds)]
    opened, shown = (statistics.median(each) for each in zip(*found, strict=True))
    return Table(
        f"Sweeps: the screen with {x * y:,} tiles at {SIZE[0]}×{SIZE[1]}",
        {"what": "", "ms": ".1f"},
        [
            ("opening, Textual's start included", 1e3 * opened),
            ("news of one cell, sent", 1e3 * shown),
        ],
    )


def _has_ray_tune() -> bool:
    return all(find_spec(name) is not None for name in ("ray", "pandas", "pyarrow", "tensorboardX"))


if __name__ == "__main__":
    main(tables)
