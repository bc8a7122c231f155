"""What grows with a run, and how: `python -m benchmarks.growth`.

With the number of updates (up to a million: synthetic results, which take the way of real ones
through the observer's histories, checkpoints, the store and the explorer on a terminal); with the
batch size; with the number of BN layers; with the rows of the map.
"""

import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from benchmarks import runs
from benchmarks.common import (
    MEGABYTE,
    Effort,
    Outcome,
    Row,
    Table,
    alternate,
    in_process,
    main,
    say,
)
from benchmarks.history import BLOCK, KEEP_EVERY, VALIDATE_EVERY, History
from bntui.core import estimators
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.machine.device import prepare_environment
from bntui.measure.hindsight import CAPACITY
from tests.ui.scripted import ScriptedRun

WIDTH, QUICK_WIDTH, BATCH = 0.25, 0.0625, 256
"""Of the network that is really trained."""
UPDATES, QUICK_UPDATES = (1_000, 10_000, 100_000, 1_000_000), (1_000, 4_000)
SCREEN_BLOCK = 5
"""Updates between two snapshots while the screen is measured."""
SCREENS = 30
"""Screen updates that are measured at each number of updates."""
BATCHES, QUICK_BATCHES = (1, 4, 16, 64, 256, 1024, 4096, 16_384), (1, 64)
LAYERS, QUICK_LAYERS = (1, 2, 5, 16, 64), (1, 16)
ROWS, QUICK_ROWS = (4, 13, 32, 64), (4, 64)
TIMES, QUICK_TIMES = 10, 2
"""Updates, or looks, that are measured at each number of layers or rows."""
MOMENTS = CAPACITY
"""Of the map that is drawn: as many as a run keeps."""
MAP = (88, 66)
"""Its columns and rows."""


def over_updates(milestones: Sequence[int]) -> list[list[float]]:
    """Return at each number of updates what `UPDATE_COLUMNS` holds, on this terminal."""
    prepare_environment()
    from bntui.ui.app import BntuiApp

    with TemporaryDirectory() as folder, ThreadPoolExecutor(1) as side:
        history = History(Path(folder))
        first = history.grow(2 * BLOCK)
        run = ScriptedRun(RunRequest(first.config), [first])
        app = BntuiApp(lambda _: run, RunRequest(first.config), updates_per_second=0.001)

        def show() -> float:
            """Return the CPU milliseconds of a screen update, on the thread that draws."""
            begun = app.call_from_thread(lambda: time.thread_time())
            for _ in range(SCREENS):
                run.snapshot = history.grow(SCREEN_BLOCK, SCREEN_BLOCK)
                app.call_from_thread(app.explorer.follower.poll)
                time.sleep(0.04)  # for the picture to go out
            return 1000 * (app.call_from_thread(lambda: time.thread_time()) - begun) / SCREENS

        def grow() -> list[list[float]]:
            found: list[list[float]] = []
            while not run.calls:  # the explorer starts its run once there is a picture
                time.sleep(0.01)
            try:
                show()
                start = memory()
                for milestone in milestones:
                    missing = milestone - history.session.trainer.update
                    begun = time.thread_time()
                    history.grow(missing)
                    took = 1e6 * (time.thread_time() - begun) / missing
                    more, kept = memory() - start, history.session.checkpoints.view()
                    sizes = (more, sum(len(one.state) for one in kept), history.size())
                    found.append([milestone, show(), took, *(size / MEGABYTE for size in sizes)])
            finally:
                app.call_from_thread(app.exit)
            return found

        growing = side.submit(grow)
        app.run()
        history.recorder.close(history.session.snapshot(Phase.STOPPED))
        return growing.result()


def memory() -> int:
    """Return the bytes of memory that this process has."""
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def with_batch(path: str, batch: int, width: float) -> float | None:
    """Return images/s of the engine; None where it would need more memory than there is."""
    prepare_environment()
    import torch

    from bntui.train.model import activation_bytes, build

    model = build(width=width)
    needed = 3 * batch * activation_bytes(model, torch.zeros(4, 1, 28, 28))
    if needed > psutil.virtual_memory().available:
        return None
    updates = min(100, max(2, 8192 // batch))
    before = max(1, updates // 10)
    about = runs.endless(batch, dataset=path, width=width)
    stretch = runs.headless(about, before, before + updates)
    return stretch.images / stretch.seconds


def with_layers(layers: int, width: float, times: int) -> list[float]:
    """Return the seconds of an update and of a live validation with so many BN layers."""
    prepare_environment()
    fields = {"norm_layers": layers} if layers < 5 else {"depth": layers - 5}
    run = runs.session(runs.endless(BATCH, width=width, **fields))
    assert len(run.trainer.buffers.layers) == layers
    return [
        timed(lambda: run.train_once(None), times),
        timed(lambda: run.observer.validate(asked=True), times),
    ]


def with_rows(rows: int, width: float, times: int) -> list[float]:
    """Return the seconds of an update, of a look back and of drawing a map of so many rows."""
    assert "bntui.measure.estimators" not in sys.modules
    others = 3  # bias-corrected, cumulative, warm-up
    momenta = (1.0 - 0.001 ** (place / rows) for place in range(rows - others))
    estimators.MOMENTA = tuple(round(momentum, 5) for momentum in momenta)
    estimators.ROWS = (*map(str, estimators.MOMENTA), *estimators.ROWS[-others:])
    prepare_environment()
    run = runs.session(runs.endless(BATCH, width=width))
    seconds = [
        timed(lambda: run.train_once(None), times),
        timed(lambda: run.observer.look_back(asked=True), times),
    ]
    from bntui.core.snapshot import Snapshot
    from bntui.ui.explorer.heat_map import heat_map
    from bntui.ui.explorer.looks import looks_of

    found = run.observer.hindsight
    assert found is not None
    assert len(found.names) == rows
    accuracy = np.random.default_rng(0).random((rows, MOMENTS))
    hindsight = replace(
        found,
        updates=np.arange(1.0, MOMENTS + 1),
        accuracy=accuracy,
        own=accuracy[0],
        fresh=accuracy[-1],
        momentum=np.full(MOMENTS, 0.99),
    )
    width, height = MAP
    x = (0.0, float(MOMENTS))
    looks = looks_of(Snapshot(hindsight=hindsight))
    assert looks is not None
    drawing = partial(heat_map, looks, looks.updates, looks.ends, width=width, height=height, x=x)
    return [*seconds, timed(drawing, times)]


def timed(function: Callable[[], object], times: int) -> float:
    """Return the median seconds of several calls, after one for nothing."""
    function()
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        function()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


UPDATE_COLUMNS = {
    "updates": ",.0f",
    "screen update, ms": ".1f",
    "bookkeeping, µs an update": ".0f",
    "more memory, MB": ",.1f",
    "checkpoints on disk, MB": ",.1f",
    "store, MB": ",.1f",
}


def tables(effort: Effort) -> Iterator[Table]:
    """Measure all four."""
    yield _of_updates(effort)
    yield _of_batch(effort)
    width, times = (QUICK_WIDTH, QUICK_TIMES) if effort.quick else (WIDTH, TIMES)
    layers = QUICK_LAYERS if effort.quick else LAYERS
    yield Table(
        f"Growth with BN layers: batch {BATCH} at width {width:g}",
        {"BN layers": "d", "update, ms": ".1f", "live validation, ms": ".1f"},
        _medians(with_layers, layers, width, times, effort.rounds),
        "Layers beyond the thread's five come with a convolution each, where images are smallest.",
    )
    rows = QUICK_ROWS if effort.quick else ROWS
    yield Table(
        f"Growth with the map's rows: batch {BATCH} at width {width:g}",
        {"rows": "d", "update, ms": ".1f", "look back, ms": ".1f", "drawing, ms": ".1f"},
        _medians(with_rows, rows, width, times, effort.rounds),
        f"The explorer has 13. Drawn is a map of {MOMENTS} random moments: the worst case.",
    )


def _of_updates(effort: Effort) -> Table:
    milestones = QUICK_UPDATES if effort.quick else UPDATES
    say("growth with updates")
    return Table(
        "Growth with updates",
        UPDATE_COLUMNS,
        [tuple(row) for row in in_process(over_updates, milestones).value],
        f"Synthetic updates through the real observer, store and explorer, one round: a validation "
        f"every {VALIDATE_EVERY} updates, a checkpoint every {KEEP_EVERY:,}.",
    )


def _of_batch(effort: Effort) -> Table:
    batches, width = (QUICK_BATCHES, QUICK_WIDTH) if effort.quick else (BATCHES, WIDTH)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "digits.npz"
        what = runs.write_digits(path, max(8192, *batches))
        programs = {
            f"{batch}": partial(in_process, with_batch, str(path), batch, width)
            for batch in batches
        }
        found = alternate(programs, effort.rounds)
    return Table(
        f"Growth with the batch: the engine at width {width:g} on {what}",
        {"batch": ",d", "images/s": ",.0f", "update, ms": ",.1f", "peak memory, MB": ",.0f"},
        [_batch_row(int(batch), outcomes) for batch, outcomes in found.items()],
        "– where it would need more memory than is free.",
    )


def _batch_row(batch: int, outcomes: Sequence[Outcome]) -> Row:
    speeds = [outcome.value for outcome in outcomes if outcome.value is not None]
    if len(speeds) < len(outcomes):
        return batch, None, None, None
    speed = statistics.median(speeds)
    peak = statistics.median(outcome.peak for outcome in outcomes)
    return batch, speed, 1000 * batch / speed, peak


def _medians(
    function: Callable[..., list[float]],
    numbers: Sequence[int],
    width: float,
    times: int,
    rounds: int,
) -> list[Row]:
    """Return for each number a row of what `function` measures, in ms."""
    programs = {f"{n}": partial(in_process, function, n, width, times) for n in numbers}
    rows: list[Row] = []
    for number, outcomes in alternate(programs, rounds).items():
        columns = zip(*(outcome.value for outcome in outcomes), strict=True)
        rows.append((int(number), *(1000 * statistics.median(column) for column in columns)))
    return rows


if __name__ == "__main__":
    main(tables)
