"""The theory's line over a phase diagram: where mᵗ, what is left of the start values, is 2 %. Pure."""

import math

import numpy as np

from bntui.core.estimators import MOMENTA
from bntui.core.series import Array
from bntui.sweeps.axes import Places, images_of
from bntui.sweeps.outcomes import Outcomes
from bntui.sweeps.start_values import planned_updates, statistics_updates

START_LEFT = 0.02
"""The theory's line is where this share mᵗ of the start values is left.

Of the 4,560 looks at the 57 runs of docs/phase-diagram.md under momenta from 0.8 on, so many are on the wrong side
of a line, sound with more left or failing with less: 153 at 1 %, 120 at 2 %, 283 at 5 %, 469 at 10 %.
"""
_MEMORY = -np.log1p(-np.array(MOMENTA))
"""Of each constant momentum m, −ln(1 − m)."""


def line_of(
    found: Outcomes, epoch: int, chosen: Places, group: Places, number: int
) -> tuple[float, ...]:
    """Return where on the axis of momenta the theory's line is, for each group of cells.

    Between two momenta it is linear in ln(1 − m): the statistics' memory is 1 / (1 − m) updates, and in
    those the momenta are nearly evenly apart. Near m = 1 it makes m = share^(1/t) nearly a straight line over ln t.
    NaN where the momentum is none of the constant ones, nor between two of them.
    """
    moves = _moves(found, epoch, chosen, group, number)
    with np.errstate(divide="ignore", invalid="ignore"):
        memory = -np.log1p(-np.exp(math.log(START_LEFT) / moves))
    known = np.nan_to_num(memory, nan=-1.0)
    places = np.interp(known, _MEMORY, np.arange(len(MOMENTA)), math.nan, math.nan)
    return tuple(places.tolist())


def _moves(found: Outcomes, epoch: int, chosen: Places, group: Places, number: int) -> Array:
    """Return how often each group's statistics have been moved at an epoch's end, or will have been."""
    moves = np.full(number, np.nan)
    if epoch in found.epochs:
        of = found.moves[chosen, found.epochs.index(epoch)]
        np.fmax.at(moves, group, of)
    cells = found.view.cells
    for cell, at in zip(chosen.tolist(), group.tolist(), strict=True):
        if math.isnan(moves[at]):
            config = cells[cell].cell.config
            train = images_of(cells, config)
            updates = planned_updates(config, train, epoch)
            moves[at] = statistics_updates(config, train, updates) if updates else math.nan
    return moves
