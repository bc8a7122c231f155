"""Which diagram of a sweep is shown: other axes, other values of the other settings. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from bntui.core.estimators import ROWS
from bntui.core.sweep import SweepView
from bntui.sweeps.axes import SAME
from bntui.sweeps.outcomes import outcomes_of
from bntui.sweeps.phase import MOMENTUM, NO_AXIS, Choice, Diagram, Value, axes, scale
from bntui.sweeps.tiles import held_axes

USUAL = ROWS.index("0.99")
"""The place of Keras's default on the axis of momenta, where the crosshair begins."""
OWN = -1
"""In place of a place on the axis of momenta: each run's own running statistics."""


def first_tile(choice: Choice) -> tuple[int, int]:
    """Return the column and row where the crosshair begins: at Keras's default on an axis of momenta."""
    x, y = (USUAL if axis == MOMENTUM else 0 for axis in (choice.x, choice.y))
    return x, y


def places(choice: Choice, cursor: tuple[int, int]) -> dict[str, int]:
    """Return the place of a tile on every axis that has one."""
    found = {**choice.at, choice.x: cursor[0], choice.y: cursor[1]}
    found.pop(NO_AXIS, None)
    return found


def at_tile(choice: Choice, cursor: tuple[int, int], value: Value) -> Choice:
    """Return the choice of a single tile, for another value of it."""
    return replace(choice, x=NO_AXIS, y=NO_AXIS, value=value, at=places(choice, cursor))


def next_value(choice: Choice) -> Choice:
    """Return the choice with the next value."""
    values = list(Value)
    return replace(choice, value=values[(values.index(choice.value) + 1) % len(values)])


def next_epoch(choice: Choice, epochs: Sequence[int], by: int) -> Choice:
    """Return the choice with the epoch so many further; from the last one on it is always the newest."""
    place = epochs.index(choice.epoch) if choice.epoch in epochs else len(epochs) - 1
    place = max(place + by, 0)
    return replace(choice, epoch=0 if place >= len(epochs) - 1 else epochs[place])


def next_axis(
    view: SweepView, choice: Choice, cursor: tuple[int, int], which: str
) -> Choice | None:
    """Return the choice with the next axis as `which` of x and y; None where there is no other.

    The two change places where the other one has it. All other settings stay as they are at the tile.
    """
    old, other = (choice.x, choice.y) if which == "x" else (choice.y, choice.x)
    names = [one for one in axes(view) if one == old or one != SAME.get(other)]
    if len(names) < 2:
        return None
    new = names[(names.index(old) + 1) % len(names)] if old in names else names[0]
    other = old if new == other else other
    at = places(choice, cursor)
    for drawn in (new, other):
        at.pop(drawn, None)
        at.pop(SAME.get(drawn, ""), None)
    x, y = (new, other) if which == "x" else (other, new)
    return replace(choice, x=x, y=y, at=at)


def held(view: SweepView, choice: Choice) -> list[str]:
    """Return the axes that are looked at at one value."""
    return held_axes(outcomes_of(view), choice)


def next_setting(view: SweepView, choice: Choice, name: str, by: int) -> Choice:
    """Return the choice with another value of a setting that is no axis; around the ends."""
    first = OWN if name == MOMENTUM else 0
    count = len(scale(view, name).values) - first
    place = first + (choice.at.get(name, first) - first + by) % count
    at = {one: at for one, at in choice.at.items() if one != name}
    return replace(choice, at=at if place == OWN else {**at, name: place})


def tile_of(diagram: Diagram, run: str, momentum: int) -> tuple[int, int]:
    """Return the column and row of a run's tile, on an axis of momenta at one of them; the first without."""
    for row, tiles in enumerate(diagram.tiles):
        for column, tile in enumerate(tiles):
            if run in tile.runs:
                x = momentum if diagram.choice.x == MOMENTUM else column
                return x, momentum if diagram.choice.y == MOMENTUM else row
    return 0, 0
