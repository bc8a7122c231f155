"""A sweep as a table, in CSV and in JSON lines: a row for each cell, epoch and kind of running statistics.

Nothing is rounded, and nothing that changes a run's numbers is left out: such a table can be read as the
sweep that it was. Imports no torch.
"""

import csv
import json
import math
from collections.abc import Iterator
from typing import Any

from bntui.core.estimators import MOMENTA, ROWS
from bntui.core.settings import SETTINGS, change_words, value_of
from bntui.core.sweep import NOT_OF_THE_NUMBERS, CellState, EpochOutcome, SweepView
from bntui.sweeps.start_values import own_momentum, statistics_updates

OWN = "own"
"""The run's own running statistics, with its own momentum and estimator."""
NONE = "none"
"""Of a norm that keeps none: `running` is its accuracy, and there is no gap."""
WRITTEN = tuple(row for row in SETTINGS.values() if row.field not in NOT_OF_THE_NUMBERS)
"""The settings that are written, each under its option's name."""
MEASURED = ("epoch", "update", "statistics", "running", "fresh", "gap", "start-left")
COLUMNS = ("sweep", "run", "state", "train", *(row.flag for row in WRITTEN), *MEASURED)


def csv_lines(view: SweepView) -> Iterator[str]:
    """Return the table as CSV, its columns in the first line. What was not measured, or is not set, is empty."""
    table = csv.writer(_Lines(), lineterminator="\n")
    yield table.writerow(COLUMNS)
    for row in table_rows(view):
        yield table.writerow([_cell(row[name]) for name in COLUMNS])


def json_lines(view: SweepView) -> Iterator[str]:
    """Return the table as one JSON object a row. What was not measured, or is not set, is null."""
    for row in table_rows(view):
        finite = {name: _finite(value) for name, value in row.items()}
        yield json.dumps(finite, allow_nan=False) + "\n"


def table_rows(view: SweepView) -> Iterator[dict[str, Any]]:
    """Return the rows of the table, each by `COLUMNS`: of every cell each epoch under every statistics.

    A cell of which nothing is measured has none. NaN is what was not measured.
    """
    for state in view.cells:
        about = {
            "sweep": view.name,
            "run": state.cell.id,
            "state": state.standing.value,
            "train": state.train or None,
            **{row.flag: _setting(state, row.field) for row in WRITTEN},
        }
        for outcome in state.epochs:
            for measured in _measured(state, outcome):
                yield about | dict(zip(MEASURED, measured, strict=True))


def _measured(state: CellState, outcome: EpochOutcome) -> Iterator[tuple[Any, ...]]:
    config = state.cell.config
    moves = statistics_updates(config, state.train, outcome.update)
    rows = [(OWN if config.has_statistics else NONE, outcome.own, own_momentum(config))]
    momenta = (*MOMENTA, *(0.0 for _ in ROWS[len(MOMENTA) :]))
    if config.has_hindsight:
        rows += zip(ROWS, outcome.rows, momenta, strict=False)
    for name, running, momentum in rows:
        gap = outcome.fresh - running if config.has_statistics else math.nan
        left = momentum**moves
        yield outcome.epoch, outcome.update, name, running, outcome.fresh, gap, left


def _setting(state: CellState, field: str) -> Any:
    value = value_of(state.cell.config, field)
    return " ".join(map(change_words, value)) if field == "at" else value


def _cell(value: object) -> object:
    if value is None or value != value:  # NaN
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


class _Lines:
    """Makes `writerow` of a CSV writer return the line, so that a large table is never whole."""

    def write(self, line: str) -> str:
        return line
