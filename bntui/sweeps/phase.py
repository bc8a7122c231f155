"""The phase diagram of a sweep: where validation with running statistics fails. Pure; imports no torch."""

import math
from dataclasses import dataclass
from typing import Literal

from bntui.core.sweep import SweepView
from bntui.sweeps.axes import MOMENTUM, NO_AXIS, UPDATES, Scale
from bntui.sweeps.outcomes import Outcomes, outcomes_of
from bntui.sweeps.theory import START_LEFT, line_of
from bntui.sweeps.tiles import (
    SOUND_FRESH,
    SOUND_GAP,
    Choice,
    Tile,
    Value,
    chosen_cells,
    held_axes,
    is_small,
    is_sound,
    place_on,
    tiles_of,
)

__all__ = [
    "MOMENTUM",
    "NO_AXIS",
    "OWN",
    "SOUND_FRESH",
    "SOUND_GAP",
    "START_LEFT",
    "UPDATES",
    "Choice",
    "Diagram",
    "Scale",
    "Tile",
    "Value",
    "axes",
    "diagram",
    "first_choice",
    "fitting",
    "is_small",
    "is_sound",
    "measured_epochs",
    "scale",
]
OWN = "the run's own"
"""Which running statistics count where neither an axis nor `Choice.at` is of momenta."""


@dataclass(frozen=True, slots=True)
class Diagram:
    """What there is to draw."""

    choice: Choice
    x: Scale
    y: Scale
    tiles: tuple[tuple[Tile, ...], ...]
    """A row for each place of `y`, in it a tile for each of `x`."""
    epochs: tuple[int, ...]
    """Epochs that any cell has a value of."""
    epoch: int
    """The one that is drawn, of updates until sound the last; 0 where there is none yet."""
    held: tuple[tuple[str, str], ...]
    """Every other axis by its label, and the value at which it is looked at."""
    line: tuple[float, ...]
    """The theory's line: for each place along `line_over`, where on the axis of momenta, between two of its
    places, mᵗ is `START_LEFT`; NaN where it lies outside. Empty where neither axis is of momenta."""
    line_over: Literal["x", "y", ""]
    """The axis that has a position of the line for each of its places: the one that is not of momenta."""


def axes(view: SweepView) -> tuple[str, ...]:
    """Return what a diagram of this sweep can have as an axis: the design's with several values, and more."""
    return tuple(name for name in outcomes_of(view).axes.scales if name != NO_AXIS)


def scale(view: SweepView, axis: str) -> Scale:
    """Return one of the axes with its places, as `Choice.at` numbers them."""
    return outcomes_of(view).axes.scales[axis]


def measured_epochs(view: SweepView) -> tuple[int, ...]:
    """Return the epochs that any cell has a value of, ascending."""
    return outcomes_of(view).epochs


def first_choice(view: SweepView) -> Choice:
    """Return what is drawn at first: momenta over batch size, where there are such."""
    offered = [name for name in axes(view) if name not in {MOMENTUM, UPDATES}]
    if "batch_size" in offered:
        offered.sort(key="batch_size".__ne__)
    if MOMENTUM in axes(view):
        offered.insert(1, MOMENTUM)
    x, y, *_ = *offered, NO_AXIS, NO_AXIS
    known = outcomes_of(view).has_statistics.any()
    return Choice(x, y, Value.GAP if known else Value.RUNNING)


def fitting(view: SweepView, choice: Choice) -> Choice:
    """Return the choice, or the first one where the view lacks an axis, or a place, that it names."""
    places = {choice.x: 0, choice.y: 0, **choice.at}
    scales = outcomes_of(view).axes.scales
    has_all = all(
        name in scales and place < len(scales[name].values) for name, place in places.items()
    )
    return choice if has_all else first_choice(view)


def diagram(view: SweepView, choice: Choice) -> Diagram:
    """Return the diagram; of 2,000 tiles within some milliseconds. Raises ValueError for one axis twice."""
    if choice.x == choice.y != NO_AXIS:
        raise ValueError(f"axis {choice.x} can't be both x and y")
    found = outcomes_of(view)
    x, y = found.axes.scales[choice.x], found.axes.scales[choice.y]
    newest = found.epochs[-1] if found.epochs else 0
    epoch = newest if choice.value is Value.UNTIL_SOUND else choice.epoch or newest
    shape = (_cells_along(y), _cells_along(x))
    chosen = chosen_cells(found, choice)
    group = place_on(found, choice.y)[chosen] * shape[1] + place_on(found, choice.x)[chosen]
    tiles = tiles_of(found, choice, epoch, chosen, group, shape)
    line: tuple[float, ...] = ()
    over: Literal["x", "y", ""] = ""
    if MOMENTUM in {choice.x, choice.y}:
        over = "x" if choice.y == MOMENTUM else "y"
        line = line_of(found, epoch, chosen, group, math.prod(shape))
    held = _held(found, choice)
    return Diagram(choice, x, y, tiles, found.epochs, epoch, held, line, over)


def _cells_along(axis: Scale) -> int:
    """Return how many places tell cells apart: momenta are those of the same cells."""
    return 1 if axis.name == MOMENTUM else len(axis.values)


def _held(found: Outcomes, choice: Choice) -> tuple[tuple[str, str], ...]:
    held = []
    for name in held_axes(found, choice):
        one = found.axes.scales[name]
        own = name == MOMENTUM and name not in choice.at
        held.append((one.label, OWN if own else one.values[choice.at.get(name, 0)]))
    return tuple(held)
