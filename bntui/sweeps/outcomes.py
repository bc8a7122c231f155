"""What was measured of a sweep, as arrays: made once a view, of what is new in it. Pure; imports no torch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bntui.core.estimators import ROWS
from bntui.core.series import Array
from bntui.core.sweep import OVER, CellState, EpochOutcome, Standing, SweepView
from bntui.sweeps.axes import Axes, axes_of, train_images
from bntui.sweeps.start_values import own_momentum, statistics_updates

Mask = npt.NDArray[np.bool_]
_NO_ROWS = (np.nan,) * len(ROWS)


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Every outcome of every cell; NaN where none was measured."""

    view: SweepView
    axes: Axes
    ids: npt.NDArray[np.object_]
    """Of the cells' runs: (cells,)."""
    epochs: tuple[int, ...]
    """Those that any cell has, ascending."""
    updates: Array
    """(cells, epochs)"""
    moves: Array
    """How often the running statistics were moved by then: (cells, epochs)."""
    own: Array
    """Validation accuracy under the run's own running statistics: (cells, epochs)."""
    fresh: Array
    """(cells, epochs)"""
    rows: Array
    """Under each of `estimators.ROWS`: (cells, epochs, rows)."""
    momenta: Array
    """Each cell's own momentum, as `start_values.own_momentum` has it: (cells,)."""
    has_statistics: Mask
    """(cells,)"""
    running: Mask
    """(cells,)"""
    failed: Mask
    """(cells,)"""
    over: Mask
    """Whether a cell has finished or failed: (cells,)."""


def outcomes_of(view: SweepView) -> Outcomes:
    """Return a view's outcomes: the same object for the same view, and quick for one that follows it."""
    before = _LATEST[0] if _LATEST else None
    if before is not None and before.view is view:
        return before
    made = _made(view, before if before and before.view.design == view.design else None)
    _LATEST[:] = [made]
    return made


_LATEST: list[Outcomes] = []
"""Those of the view that was asked for last."""


def _made(view: SweepView, before: Outcomes | None) -> Outcomes:
    cells = view.cells
    epochs = tuple(sorted({one.epoch for cell in cells for one in cell.epochs}))
    shape = (len(cells), len(epochs))
    if before is not None and before.epochs == epochs:
        old = before.view.cells
        changed = [n for n, cell in enumerate(cells) if cell is not old[n]]
        arrays = [one.copy() for one in (before.updates, before.own, before.fresh, before.rows)]
        arrays.append(before.moves.copy())
    else:
        changed = list(range(len(cells)))
        arrays = [np.full(shape, np.nan) for _ in range(3)]
        arrays += [np.full((*shape, len(ROWS)), np.nan), np.full(shape, np.nan)]
    _fill(arrays, cells, epochs, changed)
    updates, own, fresh, rows, moves = arrays
    known = before and _same_images(cells, before.view.cells, changed)
    return Outcomes(
        view,
        before.axes if before and known else axes_of(view),
        before.ids if before else np.array([one.cell.id for one in cells], dtype=np.object_),
        *(epochs, updates, moves, own, fresh, rows),
        before.momenta if before else np.array([own_momentum(one.cell.config) for one in cells]),
        before.has_statistics
        if before
        else np.array([one.cell.config.has_statistics for one in cells], dtype=np.bool_),
        np.array([one.standing is Standing.RUNNING for one in cells], dtype=np.bool_),
        np.array([one.standing is Standing.FAILED for one in cells], dtype=np.bool_),
        np.array([one.standing in OVER for one in cells], dtype=np.bool_),
    )


def _same_images(
    cells: tuple[CellState, ...], before: tuple[CellState, ...], changed: list[int]
) -> bool:
    """Tell whether as many training images are known as before; the cells that have `changed` mostly tell."""
    found, had = (train_images([of[n] for n in changed]) for of in (cells, before))
    return found == had or train_images(cells) == train_images(before)


def _fill(
    arrays: list[Array], cells: tuple[CellState, ...], epochs: tuple[int, ...], changed: list[int]
) -> None:
    """Put the outcomes of the cells that have `changed` into the arrays."""
    for array in arrays:
        array[changed] = np.nan
    column = {epoch: number for number, epoch in enumerate(epochs)}
    found: list[tuple[int, EpochOutcome]] = [(n, one) for n in changed for one in cells[n].epochs]
    if not found:
        return
    updates, own, fresh, rows, moves = arrays
    at = np.array([n for n, _ in found]), np.array([column[one.epoch] for _, one in found])
    updates[at] = [one.update for _, one in found]
    own[at] = [one.own for _, one in found]
    fresh[at] = [one.fresh for _, one in found]
    rows[at] = [one.rows or _NO_ROWS for _, one in found]
    moves[at] = [
        statistics_updates(cells[n].cell.config, cells[n].train, one.update) for n, one in found
    ]
