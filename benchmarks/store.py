"""What keeping runs costs: `python -m benchmarks.store`.

Two figures. The share of the time that recording takes while a run makes 1,000 updates a second, with
the series that a live run of the thread's network has, called as the runner calls it. And how long it
takes to open a store of 1,000 runs with 10,000 updates each, and to list all of them, in a fresh
process.
"""

import math
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.common import Effort, Table, in_process, main, say
from bntui.core.config import RunConfig
from bntui.core.measured import Score, Validation
from bntui.core.run import Point
from bntui.core.snapshot import Checkpoint, EpochReport, Phase, RunFacts, Snapshot
from bntui.store.checksum import checksums_statement
from bntui.store.database import Store
from bntui.store.recorder import StoreRecorder
from bntui.store.schema import transaction

EVERY_UPDATE = ("train_loss", "train_acc", "smooth_loss", "smooth_acc", "seconds")
EVERY_VALIDATION = (
    *("val_loss", "val_acc", "fresh_loss", "fresh_acc"),
    *(f"{what}:layer{number}" for what in ("drift", "gap") for number in range(5)),
    *(f"hindsight:{row}" for row in range(16)),
    *("noise_scale", "images"),
)
RATE = 1000
CALLS = 20
"""A second, as a run publishes."""
FACTS = RunFacts("cpu", "digits", 4000, 1000, 107_722, tuple("0123456789"), 350_000, 2)
STATE = bytes(2_000_000)
"""A checkpoint, of which there is a new one at every call."""
SCORE = Score(0.1, 0.9, (100,) * 10)


@dataclass(frozen=True, slots=True)
class Amount:
    """How much to record, for how long, and how much a store holds."""

    seconds: int
    runs: int
    updates: int


FULL, QUICK = Amount(20, 1000, 10_000), Amount(2, 20, 1000)


def journal(first: int, last: int) -> Iterator[Point]:
    """Return what a run writes down from one update to another, with one validation."""
    for update in range(first, last + 1):
        for place, name in enumerate(EVERY_UPDATE):
            yield name, update, math.exp(-update / 1e4) + place
    for name in EVERY_VALIDATION:
        yield name, last, 0.5


def recording(path: Path, seconds: int) -> tuple[float, float]:
    """Return the share of the time that recording takes, and its longest call in seconds."""
    recorder = StoreRecorder(path)
    snapshot = Snapshot(phase=Phase.RUNNING, facts=FACTS)
    begun, spent, longest = time.perf_counter(), 0.0, 0.0
    for call in range(1, seconds * CALLS + 1):
        update = call * RATE // CALLS
        points = list(journal(update - RATE // CALLS + 1, update))
        validation = Validation(update, 1000, SCORE, SCORE, ())
        kept = (Checkpoint(update, "", snapshot.config, STATE),)
        snapshot = replace(snapshot, update=update, validation=validation, checkpoints=kept)
        time.sleep(max(0.0, begun + call / CALLS - time.perf_counter()))
        start = time.perf_counter()
        recorder.record(snapshot, points)
        if not call % CALLS:
            recorder.report(EpochReport(call // CALLS, update, 1, 1, 1, 1, 1, 1, 1, 1))
        took = time.perf_counter() - start
        spent, longest = spent + took, max(longest, took)
    share = spent / (time.perf_counter() - begun)
    recorder.close(replace(snapshot, phase=Phase.FINISHED))
    assert not recorder.problem, recorder.problem
    return share, longest


def fill(path: Path, runs: int, updates: int) -> None:
    """Record one run, and copy it until there are so many."""
    now = 0.0
    recorder = StoreRecorder(path, clock=lambda: now)
    snapshot = Snapshot(phase=Phase.RUNNING, facts=FACTS, config=RunConfig())
    for last in range(RATE, updates + 1, RATE):
        snapshot = replace(snapshot, update=last)
        now = float(last)  # so that all is committed, as in a live run every second
        recorder.record(snapshot, list(journal(last - RATE + 1, last)))
    recorder.close(replace(snapshot, phase=Phase.FINISHED))
    with Store(path) as store:
        connection = store._file.connection
        for number in range(1, runs):
            with transaction(connection):
                for table, key in (("runs", "id"), ("points", "run")):
                    columns = [
                        row["name"] for row in connection.execute(f"PRAGMA table_info({table})")
                    ]
                    others = ", ".join(name for name in columns if name != key)
                    connection.execute(
                        f"INSERT INTO {table} ({key}, {others}) SELECT ?, {others} FROM {table}"
                        f" WHERE {key} = ?",
                        (f"{number:012x}", recorder.run),
                    )
                    connection.execute(
                        f"{checksums_statement(table)} WHERE {key} = ?", (f"{number:012x}",)
                    )


def opening(path: str) -> list[float]:
    """Open and list in this process; return how many runs there are, and the seconds it took."""
    start = time.perf_counter()
    with Store(Path(path)) as store:
        return [len(store.runs()), time.perf_counter() - start]


def tables(effort: Effort) -> Iterator[Table]:
    """Measure recording, then a store of many runs."""
    amount = QUICK if effort.quick else FULL
    with TemporaryDirectory() as folder:
        say("recording")
        share, longest = recording(Path(folder) / "one.sqlite", amount.seconds)
        say("filling a store")
        path = Path(folder) / "many.sqlite"
        fill(path, amount.runs, amount.updates)
        times = [in_process(opening, str(path)).value[1] for _ in range(effort.rounds)]
        size = path.stat().st_size
    yield Table(
        "Store",
        {"what": "", "value": ",.3f", "unit": ""},
        [
            ("recording, of the time", 100 * share, "%"),
            ("longest call", 1000 * longest, "ms"),
            ("opening and listing many runs", statistics.median(times), "s"),
            ("size of a run", size / amount.runs / 1e6, "MB"),
        ],
        f"Recording {RATE:,} updates a second with {len(EVERY_UPDATE)} series each, for "
        f"{amount.seconds} s; a store of {amount.runs:,} runs of {amount.updates:,} updates, opened "
        "in a fresh process.",
    )


if __name__ == "__main__":
    main(tables)
