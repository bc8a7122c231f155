"""Sweeps made by hand: what each cell measured follows from a function of its settings."""

import math
from collections.abc import Callable
from dataclasses import replace

from bntui.core.config import RunConfig
from bntui.core.estimators import ROWS
from bntui.core.sweep import Axis, Cell, CellState, Design, EpochOutcome, Standing, SweepView

TRAIN = 4000
BASE = RunConfig(dataset="digits", width=0.25, epochs=3)
Measured = Callable[[Cell, int], EpochOutcome]


def design(*axes: tuple[str, tuple[object, ...]], seeds: int = 1, base: RunConfig = BASE) -> Design:
    return Design(base, tuple(Axis(name, values) for name, values in axes), tuple(range(seeds)))


def outcome(
    cell: Cell, epoch: int, fresh: float = 0.9, running: float = 0.5, own: float | None = None
) -> EpochOutcome:
    """Return an outcome whose rows lie a bit further apart each."""
    batch = cell.config.knobs.batch_size
    rows = tuple(running + number / 1000 for number in range(len(ROWS)))
    return EpochOutcome(
        epoch,
        epoch * math.ceil(TRAIN / batch),
        running if own is None else own,
        fresh,
        rows if cell.config.has_hindsight else (),
    )


def view(
    of: Design, measured: Measured = outcome, epochs: int = 3, name: str = "made up"
) -> SweepView:
    """Return a finished sweep with so many epochs of each cell."""
    return SweepView(
        name,
        of,
        tuple(
            CellState(
                cell,
                Standing.FINISHED,
                tuple(measured(cell, epoch) for epoch in range(1, epochs + 1)),
                train=TRAIN,
            )
            for cell in of.cells()
        ),
    )


def waiting(of: Design) -> SweepView:
    """Return a sweep of which nothing has begun."""
    return SweepView("made up", of, tuple(map(CellState, of.cells())))


def with_cell(of: SweepView, number: int, **fields: object) -> SweepView:
    """Return the view with other fields of one cell."""
    cells = list(of.cells)
    cells[number] = replace(cells[number], **fields)  # type: ignore[arg-type]
    return replace(of, cells=tuple(cells))
