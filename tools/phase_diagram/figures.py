"""Figures of the page: from what update on running statistics are sound, and what is left of their start by then."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from bntui.core.estimators import MOMENTA, ROWS
from bntui.core.sweep import EpochOutcome, SweepView, start_left
from bntui.sweeps.phase import MOMENTUM, Choice, Tile, Value, diagram, is_sound

KERAS = 0.99
"""Keras's default momentum."""
LARGE = tuple(momentum for momentum in MOMENTA if momentum >= 0.8)
"""Momenta whose statistics still hold something of their start after the first epochs."""


@dataclass(frozen=True, slots=True)
class Look:
    """One run at one epoch's end under one constant momentum."""

    momentum: float
    update: int
    sound: bool
    """Whether running statistics are no more than `SOUND_GAP` behind fresh ones."""

    @property
    def left(self) -> float:
        """The share mᵗ of the start values that is left."""
        return start_left(self.momentum, self.update)


def until_sound(view: SweepView, axis: str, momentum: float | None = KERAS) -> dict[str, Tile]:
    """Return by value on the axis from which update on a momentum is sound; None for the runs' own statistics."""
    if momentum is None:
        drawn = diagram(view, Choice(axis, "", Value.UNTIL_SOUND))
        return dict(zip(drawn.x.values, drawn.tiles[0], strict=True))
    drawn = diagram(view, Choice(axis, MOMENTUM, Value.UNTIL_SOUND))
    row = drawn.tiles[ROWS.index(f"{momentum:g}")]
    return dict(zip(drawn.x.values, row, strict=True))


def final_gap(view: SweepView, axis: str, momentum: float | None = KERAS) -> dict[str, Tile]:
    """Return by value on the axis the accuracy that running statistics lose at the last epoch's end."""
    if momentum is None:
        drawn = diagram(view, Choice(axis, ""))
        return dict(zip(drawn.x.values, drawn.tiles[0], strict=True))
    drawn = diagram(view, Choice(axis, MOMENTUM))
    return dict(zip(drawn.x.values, drawn.tiles[ROWS.index(f"{momentum:g}")], strict=True))


def looks(view: SweepView, momenta: tuple[float, ...] = LARGE) -> list[Look]:
    """Return every look at every run of a sweep under some momenta."""
    return [look for cell in view.cells for one in cell.epochs for look in _looks(one, momenta)]


@dataclass(frozen=True, slots=True)
class Border:
    """What tells sound looks from failing ones best: how much of the start values is left."""

    low: float
    """Any share from this one to `high` is wrong of the fewest looks."""
    high: float
    looks: int
    wrong: int
    """Looks that are sound with more left, or fail with less."""

    def updates(self, momentum: float = KERAS) -> tuple[int, int]:
        """Return after how many updates these shares are left: t = ln(share) / ln(m), from `high` to `low`."""
        return _updates(self.high, momentum), _updates(self.low, momentum)


def border(seen: list[Look]) -> Border:
    """Return the border between some looks. Raises ValueError where all are sound, or none is."""
    by_left = sorted(seen, key=lambda look: look.left)
    failing = sum(not look.sound for look in seen)
    if failing in {0, len(seen)}:
        raise ValueError("looks that are all alike have no border")
    # Between each look and the next, in order of what is left: which ones would be told wrongly?
    below_failing = list(accumulate(not look.sound for look in by_left))
    above_sound = [len(seen) - failing - n for n in accumulate(look.sound for look in by_left)]
    counts = [
        (below + above, one.left, other.left)
        for below, above, (one, other) in zip(
            below_failing, above_sound, pairwise(by_left), strict=False
        )
        if one.left < other.left
    ]
    wrong = min(counts)[0]
    best = [(low, high) for count, low, high in counts if count == wrong]
    return Border(best[0][0], best[-1][1], len(seen), wrong)


def _looks(outcome: EpochOutcome, momenta: tuple[float, ...]) -> Iterator[Look]:
    for momentum in momenta:
        gap = outcome.fresh - outcome.rows[ROWS.index(f"{momentum:g}")]
        yield Look(momentum, outcome.update, is_sound(gap, outcome.fresh))


def _updates(share: float, momentum: float) -> int:
    return math.ceil(math.log(share) / math.log(momentum) - 1e-9)
