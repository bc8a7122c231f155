"""What the tiles of a phase diagram say. Pure; imports no torch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from itertools import pairwise
from typing import NamedTuple, overload

import numpy as np

from bntui.core.estimators import MOMENTA, ROWS
from bntui.core.series import Array
from bntui.sweeps.axes import MOMENTUM, NO_AXIS, SAME, UPDATES, Places
from bntui.sweeps.outcomes import Mask, Outcomes
from bntui.sweeps.over_seeds import over_seeds

SOUND_GAP = 0.05
"""Accuracy that running statistics may lie below fresh ones where validation counts as sound."""
SOUND_FRESH = 0.2
"""Accuracy with fresh statistics from which on a small gap tells that running statistics are sound.

It is twice chance among ten classes, which all built-in data have. At chance running statistics can't lose
anything: where nothing is learned, and where training has diverged, the gap is about 0. Of data with five
classes or fewer chance is no less, and this tells nothing.
"""
_ROUNDING = 1e-9
"""Of a difference of two accuracies: 0.55 − 0.5 is a bit more than 0.05."""
_ROW_MOMENTA = np.array([*MOMENTA, *(0.0 for _ in ROWS[len(MOMENTA) :])])
"""The m of which mᵗ of the start values is left; the last three have none from their first update on."""


@overload
def is_small(gap: float) -> bool: ...


@overload
def is_small(gap: Array) -> Mask: ...


def is_small(gap: float | Array) -> bool | Mask:
    """Return whether a gap lies within `SOUND_GAP`, as counts of images have it; NaN doesn't."""
    return gap <= SOUND_GAP + _ROUNDING


@overload
def is_sound(gap: float, fresh: float) -> bool: ...


@overload
def is_sound(gap: Array, fresh: Array) -> Mask: ...


def is_sound(gap: float | Array, fresh: float | Array) -> bool | Mask:
    """Return whether validation is sound: the gap is small where something was learned; NaN isn't."""
    return is_small(gap) & (fresh >= SOUND_FRESH)


class Value(StrEnum):
    """What a tile shows."""

    GAP = "gap"
    """Accuracy with fresh less that with running statistics, of one run at one epoch's end."""
    RUNNING = "running"
    FRESH = "fresh"
    UNTIL_SOUND = "updates until sound"
    """The first epoch's end, in updates, from which on validation stays sound (`is_sound`) for as long as it
    was measured; infinite where there is none yet."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a sweep is drawn."""

    x: str
    """A setting of the design's axes, `MOMENTUM`, `UPDATES` or `NO_AXIS`."""
    y: str
    value: Value = Value.GAP
    epoch: int = 0
    """At whose end; 0 for the last that any cell has."""
    at: Mapping[str, int] = field(default_factory=dict)
    """Of each other axis the place on its `Scale` that is looked at [0]. With none of `MOMENTUM` it is each
    run's own running statistics that count."""


class Tile(NamedTuple):
    """One place of the diagram: all seeds there."""

    median: float
    """Of an even number the mean of the middle two, or the lower where the other is infinite: so in at least
    half of the seeds validation is sound after so many updates. NaN where nothing is measured."""
    least: float
    greatest: float
    measured: int
    """Seeds that have a value."""
    runs: tuple[str, ...]
    """The ids of all runs behind it, those that are waiting too."""
    running: bool
    """Whether one of them is under way."""
    failed: bool
    """Whether one of them has failed."""
    updates: int = 0
    """After how many updates it was measured; 0 where nothing is."""
    left: float = math.nan
    """The share of the start values that was left then; NaN where it is not known, or there are none."""
    over: bool = False
    """Whether none of its runs is still to be made or finished."""
    unlearned: bool = False
    """Of gaps: whether it is small where the median of fresh accuracies lies below `SOUND_FRESH`, and so tells
    nothing."""

    @property
    def sound(self) -> bool:
        """Of gaps: whether validation is sound here."""
        return is_small(self.median) and not self.unlearned


_TILE = partial(tuple.__new__, Tile)
"""Makes a tile of its fields, in a third of the time of `Tile._make`."""


def place_on(found: Outcomes, axis: str) -> Places:
    """Return where each cell lies on an axis; on that of momenta all lie at one place."""
    return found.axes.places[NO_AXIS if axis == MOMENTUM else axis]


def held_axes(found: Outcomes, choice: Choice) -> list[str]:
    """Return the axes that are looked at at one value: batch size and updates an epoch are one axis."""
    drawn = {choice.x, choice.y, NO_AXIS}
    if drawn & SAME.keys():
        drawn |= SAME.keys()
    elif UPDATES in found.axes.scales:
        drawn.add("batch_size" if UPDATES in choice.at else UPDATES)
    return [name for name in found.axes.scales if name not in drawn]


def chosen_cells(found: Outcomes, choice: Choice) -> Places:
    """Return the numbers of the cells that are drawn."""
    drawn = np.ones(len(found.view.cells), dtype=np.bool_)
    for name in held_axes(found, choice):
        if name != MOMENTUM:
            drawn &= found.axes.places[name] == choice.at.get(name, 0)
    return np.flatnonzero(drawn)


def tiles_of(
    found: Outcomes,
    choice: Choice,
    epoch: int,
    chosen: Places,
    group: Places,
    shape: tuple[int, int],
) -> tuple[tuple[Tile, ...], ...]:
    """Return the tiles of a diagram. `group` tells which of the `shape` groups of cells each belongs to."""
    number = math.prod(shape)
    values, updates, moves = _measured(found, choice, epoch, chosen)
    seeds = over_seeds(values, group, number)
    when = over_seeds(np.stack([updates, moves], axis=1), group, number).greatest
    left = _left(found, choice, chosen, moves, group, number)
    momenta = _momenta(choice)
    columns = [
        *(seeds.median, seeds.least, seeds.greatest, seeds.measured),
        *(_repeated(of, momenta) for of in _runs(found, chosen, group, number)),
        np.where(seeds.measured > 0, np.nan_to_num(when[:, :1]).astype(int), 0),
        np.where(seeds.measured > 0, left, np.nan),
        _repeated(np.bincount(group, ~found.over[chosen], minlength=number) == 0, momenta),
        _unlearned(found, choice, epoch, chosen, group, seeds.median),
    ]
    across = [column.reshape(*shape, -1) for column in columns]
    if choice.y == MOMENTUM:
        rows = [column[0].T for column in across]
    elif choice.x == MOMENTUM:
        rows = [column[:, 0] for column in across]
    else:
        rows = [column[:, :, 0] for column in across]
    return tuple(
        tuple(map(_TILE, zip(*row, strict=True)))
        for row in zip(*(column.tolist() for column in rows), strict=True)
    )


def _unlearned(
    found: Outcomes, choice: Choice, epoch: int, chosen: Places, group: Places, gaps: Array
) -> Mask:
    """Return whether each group's gap (groups, momenta) is small where too little is learned."""
    if choice.value is not Value.GAP or epoch not in found.epochs:
        return np.zeros(gaps.shape, dtype=np.bool_)
    fresh = _fresh(found, choice, chosen, found.epochs.index(epoch))
    return is_small(gaps) & ~is_sound(gaps, over_seeds(fresh, group, len(gaps)).median)


def _momenta(choice: Choice) -> int:
    """Return how many places there are of each cell: one for each row of statistics, or one."""
    return len(ROWS) if MOMENTUM in {choice.x, choice.y} else 1


def _measured(
    found: Outcomes, choice: Choice, epoch: int, chosen: Places
) -> tuple[Array, Array, Array]:
    """Return each cell's values (cells, momenta), after how many updates, and moves of statistics."""
    if choice.value is Value.UNTIL_SOUND:
        gaps = _gaps(found, choice, chosen, slice(None))
        last = [
            np.fmax.reduce(of[chosen], axis=1, initial=-1.0) for of in (found.updates, found.moves)
        ]
        until = _until_sound(gaps, found.fresh[chosen], found.updates[chosen])
        return until, last[0], last[1]
    at = found.epochs.index(epoch) if epoch in found.epochs else None
    if at is None:
        nothing = np.full(len(chosen), np.nan)
        return np.repeat(nothing[:, None], _momenta(choice), axis=1), nothing, nothing
    match choice.value:
        case Value.GAP:
            values = _gaps(found, choice, chosen, at)
        case Value.RUNNING:
            values = _running(found, choice, chosen, at)
        case _:
            values = _fresh(found, choice, chosen, at)
    return values, found.updates[chosen, at], found.moves[chosen, at]


def _gaps(found: Outcomes, choice: Choice, chosen: Places, at: int | slice) -> Array:
    """Return fresh less running of one epoch (cells, momenta), or of all: (cells, epochs, momenta)."""
    gaps: Array = found.fresh[chosen, at, None] - _running(found, choice, chosen, at)
    gaps[~found.has_statistics[chosen]] = np.nan
    return gaps


def _running(found: Outcomes, choice: Choice, chosen: Places, at: int | slice) -> Array:
    """Return accuracy under running statistics: (cells, momenta), or (cells, epochs, momenta)."""
    if MOMENTUM in {choice.x, choice.y}:
        return found.rows[chosen, at]
    if MOMENTUM in choice.at:
        return found.rows[chosen, at, choice.at[MOMENTUM], None]
    return found.own[chosen, at, None]


def _fresh(found: Outcomes, choice: Choice, chosen: Places, at: int) -> Array:
    """Return accuracy under fresh statistics, the same for every momentum; without any, the accuracy."""
    fresh, own = found.fresh[chosen, at], found.own[chosen, at]
    fresh = np.where(found.has_statistics[chosen] | ~np.isnan(fresh), fresh, own)
    return np.repeat(fresh[:, None], _momenta(choice), axis=1)


def _until_sound(gaps: Array, fresh: Array, updates: Array) -> Array:
    """Return the updates until soundness: (cells, momenta) of gaps (cells, epochs, momenta).

    An epoch without a gap says nothing.
    """
    until = np.full((gaps.shape[0], gaps.shape[2]), np.nan)
    for gap, learned, update in zip(gaps.swapaxes(0, 1), fresh.T, updates.T, strict=True):
        sound = is_sound(gap, learned[:, None])
        until = np.where(sound & ~np.isfinite(until), update[:, None], until)
        until[~sound & ~np.isnan(gap)] = np.inf
    return until


def _left(
    found: Outcomes, choice: Choice, chosen: Places, moves: Array, group: Places, number: int
) -> Array:
    """Return the share mᵗ of the start values that is left in each group: (groups, momenta)."""
    if MOMENTUM in {choice.x, choice.y}:
        momenta = _ROW_MOMENTA[None]
    elif MOMENTUM in choice.at:
        momenta = _ROW_MOMENTA[None, choice.at[MOMENTUM], None]
    else:
        momenta = found.momenta[chosen, None]
    left = np.where(np.isnan(moves)[:, None], np.nan, momenta ** np.maximum(moves, 0.0)[:, None])
    return over_seeds(left, group, number).greatest


def _runs(found: Outcomes, chosen: Places, group: Places, number: int) -> tuple[Array, Mask, Mask]:
    """Return of each group the ids of its runs, whether one is running, and whether one has failed."""
    order = np.argsort(group, kind="stable")
    ids = found.ids[chosen[order]].tolist()
    ends = np.cumsum(np.bincount(group, minlength=number)).tolist()
    runs = np.empty(number, dtype=object)
    runs[:] = [tuple(ids[begin:end]) for begin, end in pairwise([0, *ends])]
    running, failed = (
        np.bincount(group, of[chosen], minlength=number) > 0 for of in (found.running, found.failed)
    )
    return runs, running, failed


def _repeated(values: Array | Mask, momenta: int) -> Array:
    return np.repeat(values[:, None], momenta, axis=1)
