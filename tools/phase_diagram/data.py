"""The sweeps behind docs/phase-diagram.md: what they run, and what they measured, as a table in this repository."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bntui.core.config import Knobs, RunConfig
from bntui.core.estimators import ROWS
from bntui.core.settings import SETTINGS, value_of
from bntui.core.sweep import Axis, CellState, Design, EpochOutcome, Standing, SweepView

FILE = Path(__file__).parents[2] / "docs" / "data" / "phase-diagram.csv"
TOLD = (
    *("dataset", "batch_size", "learning_rate", "depth", "width", "estimator", "base_batch"),
    "seed",
)
"""Settings that differ between the runs: each has a column."""
MEASURED = ("train", "epoch", "update", "own", "fresh", *ROWS)
COLUMNS = ("run", *(SETTINGS[name].flag for name in TOLD), *MEASURED)
BASE = RunConfig(width=0.25, epochs=10, device="cpu", threads=1)
AT_64 = replace(BASE, knobs=Knobs(batch_size=64))
SCALED = replace(BASE, knobs=Knobs(estimator="scaled"), base_batch=64)
"""Momentum m^(B/64)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One sweep of the page, but for its seeds."""

    name: str
    base: RunConfig
    axis: Axis
    options: str
    """As `bntui sweep` takes them, but for what all parts share."""

    def design(self, seeds: Iterable[int]) -> Design:
        """Return what it runs."""
        return Design(self.base, (self.axis,), tuple(seeds))


PARTS = (
    Part(
        "batch-size",
        BASE,
        Axis("batch_size", (8, 16, 32, 64, 128, 256, 512, 1024)),
        "--width 0.25 --batch-size 8..1024x2",
    ),
    Part(
        "learning-rate",
        AT_64,
        Axis("learning_rate", (0.0003, 0.001, 0.003, 0.01)),
        "--width 0.25 --batch-size 64 --lr 0.0003,0.001,0.003,0.01",
    ),
    Part("depth", AT_64, Axis("depth", (0, 3, 11)), "--width 0.25 --batch-size 64 --depth 0,3,11"),
    Part(
        "width", AT_64, Axis("width", (0.125, 0.25, 0.5)), "--batch-size 64 --width 0.125,0.25,0.5"
    ),
    Part(
        "data-set",
        AT_64,
        Axis("dataset", ("digits", "photos")),
        "--width 0.25 --batch-size 64 --dataset digits --dataset photos",
    ),
    Part(
        "scaled",
        SCALED,
        Axis("batch_size", (256, 512, 1024)),
        "--width 0.25 --batch-size 256,512,1024 --estimator scaled --base-batch 64",
    ),
)
COMMAND = "bntui sweep --epochs 10 --device cpu --threads 1"
"""What all parts share."""
MOST_SEEDS = 3
Rows = Mapping[str, list[dict[str, str]]]
"""By run, in the order of epochs."""


def read(path: Path = FILE) -> dict[str, SweepView]:
    """Return each part that the table has, as a finished sweep of the seeds that are complete in it.

    Raises ValueError for a run whose settings are not those of its id.
    """
    rows: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[row["run"]].append(row)
    found = {part.name: _view(part, rows) for part in PARTS}
    return {name: view for name, view in found.items() if view.cells}


def lines(views: Iterable[SweepView]) -> Iterator[str]:
    """Return the table of several sweeps as CSV, each run once, its columns in the first line."""
    yield ",".join(COLUMNS) + "\n"
    seen: set[str] = set()
    for state in (state for view in views for state in view.cells):
        if state.cell.id in seen:
            continue
        seen.add(state.cell.id)
        about = [state.cell.id, *_settings(state)]
        for one in state.epochs:
            accuracies = (f"{value:.6g}" for value in (one.own, one.fresh, *one.rows))
            yield ",".join([*about, f"{state.train},{one.epoch},{one.update}", *accuracies]) + "\n"


def _view(part: Part, rows: Rows) -> SweepView:
    """Return a part as a sweep of as many seeds as there are in full, from 0 on."""
    seeds = 0
    while seeds < MOST_SEEDS and all(cell.id in rows for cell in part.design([seeds]).cells()):
        seeds += 1
    design = part.design(range(seeds))
    return SweepView(
        part.name, design, tuple(_state(cell, rows[cell.id]) for cell in design.cells())
    )


def _state(cell: Any, rows: list[dict[str, str]]) -> CellState:
    epochs = tuple(
        EpochOutcome(
            int(row["epoch"]),
            int(row["update"]),
            float(row["own"]),
            float(row["fresh"]),
            tuple(float(row[name]) for name in ROWS),
        )
        for row in rows
    )
    train = int(rows[0]["train"])
    state = CellState(
        cell,
        Standing.FINISHED,
        epochs,
        updates=epochs[-1].update,
        images=train * len(epochs),
        train=train,
    )
    told = [rows[0][SETTINGS[name].flag] for name in TOLD]
    if told != _settings(state):
        raise ValueError(f"run {cell.id} has other settings than its id says: {told}")
    if [one.epoch for one in epochs] != list(range(1, cell.config.epochs + 1)):
        raise ValueError(f"run {cell.id} has not every epoch once")
    return state


def _settings(state: CellState) -> list[str]:
    return [str(value_of(state.cell.config, name)) for name in TOLD]
