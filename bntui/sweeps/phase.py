"""The phase diagram of a sweep: where validation with running statistics fails. Pure; imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bntui.core.sweep import SweepView

MOMENTUM = "hindsight"
"""The axis of the estimators that every run keeps: `estimators.ROWS`, a momentum each and three more."""
UPDATES = "updates"
"""The axis of updates an epoch, in place of batch size where both say the same."""
SOUND_GAP = 0.05
"""Accuracy that running statistics may lie below fresh ones where validation counts as sound."""
START_LEFT = 0.1
"""The theory's line is where this share mᵗ of the start values is left."""


class Value(StrEnum):
    """What a tile shows."""

    GAP = "gap"
    """Accuracy with fresh less that with running statistics, of one run at one epoch's end."""
    RUNNING = "running"
    FRESH = "fresh"
    UNTIL_SOUND = "updates until sound"
    """The first epoch's end, in updates, from which on the gap stays within `SOUND_GAP`; infinite where none."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a sweep is drawn."""

    x: str
    """A setting of the design's axes, `MOMENTUM` or `UPDATES`."""
    y: str
    value: Value = Value.GAP
    epoch: int = 0
    """At whose end; 0 for the last that any cell has."""
    at: Mapping[str, int] = field(default_factory=dict)
    """Of each other axis, `MOMENTUM` among them, the number of the value that is looked at [0; of momenta 0.99]."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One place of the diagram: all seeds there."""

    median: float
    """NaN where nothing is measured."""
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


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis of the diagram."""

    name: str
    """As in `Choice`."""
    label: str
    """As the screen and pictures call it: "batch size", "momentum (Keras's)"."""
    values: tuple[str, ...]
    """What stands at each place, as it is shown."""


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
    line: tuple[float, ...]
    """The theory's line: for each place of `x`, where on `y`, between two of its places, mᵗ is
    `START_LEFT`; NaN where it lies outside. Empty where neither axis is of momenta."""


def axes(view: SweepView) -> tuple[str, ...]:
    """Return what a diagram of this sweep can have as an axis: the design's with several values, and more."""
    raise NotImplementedError


def first_choice(view: SweepView) -> Choice:
    """Return what is drawn at first: momenta over batch size, where there are such."""
    raise NotImplementedError


def diagram(view: SweepView, choice: Choice) -> Diagram:
    """Return the diagram; of 2,000 tiles within some milliseconds."""
    raise NotImplementedError
