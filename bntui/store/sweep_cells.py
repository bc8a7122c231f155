"""The cells of a sweep as the store has them, read again and again, each time only what is new."""

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping, Set
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

from bntui.core.border import BorderError, Count, Read, Seconds, convert, parsed
from bntui.core.estimators import ROWS
from bntui.core.snapshot import RunFacts
from bntui.core.sweep import (
    NOT_OF_THE_NUMBERS,
    Cell,
    CellState,
    Design,
    EpochOutcome,
    Standing,
)
from bntui.core.text import literal
from bntui.store import rows
from bntui.store.checksum import check_row
from bntui.store.claims import is_done, is_of
from bntui.store.connection import Connection
from bntui.store.encoding import finite, read_facts
from bntui.store.rows import Update
from bntui.store.writing import ALIVE, State

_LAYERS, _BEHIND = '"layers": [', '], "logits_error"'
"""What is between these of a report's figures, the most of it, is not needed here."""


def _accuracy(value: object) -> float:
    """Return a share of 1; NaN where nothing was measured."""
    if type(value) is float and 0.0 <= value <= 1.0:  # of most, quickly
        return value
    if value == "nan":
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise ValueError("from 0 to 1")
    return float(value)


def _by_estimator(value: object) -> tuple[float, ...]:
    """Return the accuracy with each of `ROWS`, NaN for those that were not measured."""
    known: dict[object, float] = {}
    for pair in value if isinstance(value, list) else ():
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise ValueError("pairs of a name and an accuracy")
        known[pair[0]] = _accuracy(pair[1])
    return tuple(known.get(name, math.nan) for name in ROWS)


@dataclass(frozen=True, slots=True)
class _Figures:
    """What is needed of a report."""

    epoch: Count
    update: Update
    val_acc: Annotated[float, Read(_accuracy)]
    val_acc_fresh: Annotated[float, Read(_accuracy)]
    hindsight: Annotated[tuple[float, ...], Read(_by_estimator)]


@dataclass(frozen=True, slots=True)
class _Stands:
    """How far a run is."""

    state: State
    updates: Update
    epoch: Count


@dataclass(frozen=True, slots=True)
class _Run(_Stands):
    """What is needed of a run."""

    started: str
    images: Count
    seconds: Seconds
    facts: Annotated[RunFacts, Read(read_facts)]
    message: str


@dataclass(slots=True)
class _Kept:
    """What has been read of a cell."""

    cell: Cell
    checksum: object = None
    """Of the run's row, in a tuple; None where there is no row."""
    run: _Run | None = None
    outcomes: dict[int, EpochOutcome] = field(default_factory=dict)
    """By epoch."""
    wrong: str = ""
    """Why something of it is left out."""

    @property
    def done(self) -> bool:
        run = self.run
        return run is not None and is_done(self.cell, run.state, run.epoch, run.updates)

    def state(self, *, held: bool) -> CellState:
        """Return the cell as a view shows it; `held` tells whether a process has it."""
        run = self.run
        standing = Standing.FINISHED if self.done else Standing.RUNNING if held else None
        if run is None:
            return CellState(self.cell, standing or Standing.WAITING)
        failed = run.state is State.FAILED
        standing = standing or (Standing.FAILED if failed else Standing.INTERRUPTED)
        return CellState(
            self.cell,
            standing,
            epochs=tuple(self.outcomes.values()),
            updates=run.updates,
            images=run.images,
            seconds=run.seconds,
            train=run.facts.train if run.facts.loaded else 0,
            message=literal(run.message) if standing is Standing.FAILED else "",
        )


def over(path: Path, cells: Mapping[str, Cell], *, or_failed: bool) -> Iterator[str]:
    """Yield which of `cells`, by their ids, are done or, if that counts, have failed. Raises StoreError."""
    file = Connection(path)
    try:
        with file.errors_as_sentences():
            for row in file.connection.execute("SELECT * FROM runs"):
                cell = cells.get(row["id"])
                if cell and _is_over(row, cell, or_failed=or_failed):
                    yield cell.id
    finally:
        file.close()


def _is_over(row: sqlite3.Row, cell: Cell, *, or_failed: bool) -> bool:
    try:
        check_row("runs", row)
        run = convert(_Stands, dict(row))
        failed = or_failed and run.state is State.FAILED
        over = failed or is_done(cell, run.state, run.epoch, run.updates)
        return over and _is_of(row, cell)
    except BorderError:  # it is run again, in place of what is there
        return False


class SweepCells:
    """What has been read of one sweep so far, and only to read."""

    def __init__(self, design: Design) -> None:
        self._kept = {cell.id: _Kept(cell) for cell in design.cells()}
        self._states = {run: kept.state(held=False) for run, kept in self._kept.items()}
        self._all = tuple(self._states.values())
        self._changed: set[str] = set()
        self._held: frozenset[str] = frozenset()

    def read(self, connection: sqlite3.Connection, seconds: float = math.inf) -> bool:
        """Read what has changed, within a transaction; return whether that was all of it.

        After so many `seconds` the rest is left to the next call. Raises sqlite3.Error.
        """
        end = monotonic() + seconds
        found = {row[0]: tuple(row) for row in connection.execute("SELECT id, checksum FROM runs")}
        for run, kept in self._kept.items():
            checksum = found.get(run)
            if checksum != kept.checksum:
                if monotonic() > end:
                    return False
                self._changed.add(run)
                kept.wrong = ""
                try:
                    _read_run(connection, kept, there=checksum is not None)
                except BorderError as error:
                    kept.run, kept.outcomes, kept.wrong = None, {}, str(error)
                kept.checksum = checksum
        return True

    def states(self, held: Set[str]) -> tuple[CellState, ...]:
        """Return all cells in their order; `held` are the runs that a process has. The same object while nothing changes."""
        now = frozenset(held & self._kept.keys())
        maybe = self._changed | (now ^ self._held)
        states = {run: self._kept[run].state(held=run in now) for run in maybe}
        if any(state != self._states[run] for run, state in states.items()):
            self._states |= states
            self._all = tuple(self._states.values())
        self._changed, self._held = set(), now
        return self._all

    def said_to_be_under_way(self) -> list[str]:
        """Return the runs that are under way by their rows, and may not be."""
        return [
            run
            for run, kept in self._kept.items()
            if kept.run is not None and kept.run.state in ALIVE and not kept.done
        ]

    @property
    def remark(self) -> str:
        """What is left out since it is not as bntui writes it, in one sentence; mostly empty."""
        wrong = [(run, kept.wrong) for run, kept in self._kept.items() if kept.wrong]
        if not wrong:
            return ""
        run, why = wrong[0]
        others = f" and {len(wrong) - 1} others" if len(wrong) > 1 else ""
        return literal(f"left out, not as bntui writes it: of run {run}{others} ({why}).")


def _read_run(connection: sqlite3.Connection, kept: _Kept, *, there: bool) -> None:
    """Read a run whose row has changed, and its reports that are new. Raises BorderError for a wrong row."""
    run = kept.cell.id
    before = kept.run
    if not there:
        kept.run, kept.outcomes = None, {}
        return
    row = connection.execute("SELECT * FROM runs WHERE id = ?", (run,)).fetchone()
    check_row("runs", row)
    now = convert(_Run, dict(row))
    if not _is_of(row, kept.cell):
        raise BorderError("its settings are not those of its id")
    if before is None or before.started != now.started or before.updates > now.updates:
        kept.outcomes = {}  # it is another, or was taken back
    kept.run = now
    newest = max((outcome.update for outcome in kept.outcomes.values()), default=0)
    for report in connection.execute(
        "SELECT * FROM reports WHERE run = ? AND twin = '' AND at >= ? ORDER BY at", (run, newest)
    ).fetchall():
        check_row("reports", report)
        try:
            outcome = _outcome(report["figures"])
        except BorderError as error:
            kept.wrong = str(error)
        else:
            if outcome.epoch <= kept.cell.config.epochs:
                kept.outcomes[outcome.epoch] = outcome


def _outcome(text: object) -> EpochOutcome:
    """Return what a report's figures say. Raises BorderError."""
    figures = convert(_Figures, _without_layers(text))
    return EpochOutcome(
        figures.epoch, figures.update, figures.val_acc, figures.val_acc_fresh, figures.hindsight
    )


def _without_layers(text: object) -> Any:
    """Parse a report's figures, where that can be done quickly without its layers. Raises BorderError."""
    if isinstance(text, str):
        before, layers, rest = text.partition(_LAYERS)
        _, behind, after = rest.rpartition(_BEHIND)
        if layers and behind:
            try:
                return json.loads(before + layers + behind + after)
            except (ValueError, RecursionError):
                pass
    return parsed(text)


def _is_of(row: sqlite3.Row, cell: Cell) -> bool:
    """Tell whether a run is the cell's. Raises BorderError."""
    found = parsed(row["config"])
    if isinstance(found, dict) and _numbers(found) == _numbers(finite(asdict(cell.config), str)):
        return True
    return is_of(rows.run(row), cell)


def _numbers(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without those that do not change the numbers."""
    return {
        name: _numbers(value) if name == "knobs" and isinstance(value, dict) else value
        for name, value in settings.items()
        if name not in NOT_OF_THE_NUMBERS
    }
