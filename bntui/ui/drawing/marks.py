"""What happened to a run, as marks below its charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bntui.core.series import SeriesView
from bntui.core.snapshot import Mark
from bntui.ui.drawing.view import x_of

TURNING = 12
"""Updates between two changes of one knob that still belong to one turn of it."""
DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class Flag:
    """A mark where it stands on an x axis."""

    x: float
    label: str
    symbol: str = "▲"
    role: str = ""


def merged(marks: Sequence[Mark]) -> list[Mark]:
    """Return the marks with each turn of a knob as one, at the update where it began.

    A turn is a chain of changes, each within `TURNING` updates of the one before: "momentum
    0.99→0.98" and "momentum 0.98→0.9" are "momentum 0.99→0.9". It does not lead back to its start.
    """
    shown: list[Mark] = []
    turns: dict[str, tuple[int, int]] = {}  # of each knob: the place in `shown`, the last update
    for mark in marks:
        knob, before, after = _change(mark.label)
        place, update = turns.get(knob, (-1, -TURNING - 1))
        _, begin, end = _change(shown[place].label) if place >= 0 else ("", "", "")
        if after and end == before and begin != after and mark.update - update <= TURNING:
            shown[place] = replace(shown[place], label=f"{knob} {begin}→{after}")
        else:
            place = len(shown)
            shown.append(mark)
        turns[knob] = place, mark.update
    return shown


def flags(marks: Sequence[Mark], clock: SeriesView | None) -> list[Flag]:
    """Return the merged marks on the axis that `clock` counts (see `view.x_of`)."""
    shown = merged(marks)
    places = x_of([mark.update for mark in shown], clock).tolist()
    return [
        Flag(x, mark.label, *(("×", "bad") if mark.label.startswith(DIVERGED) else ()))
        for x, mark in zip(places, shown, strict=True)
    ]


def _change(label: str) -> tuple[str, str, str]:
    """Split "knob before→after"; the last two are empty for what is no change of a knob."""
    knob, _, change = label.rpartition(" ")
    before, arrow, after = change.partition("→")
    return (knob, before, after) if arrow else (label, "", "")
