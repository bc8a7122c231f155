"""The story as one moving picture: validation fails, c repairs the averages, validation is sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.gallery.states import kept_states
from tools.gallery.svg import Rows, moving
from tools.gallery.visit import LOOKS, opened
from tools.picture_checks.shown import cells

if TYPE_CHECKING:
    from bntui.core.snapshot import Snapshot

SIZE = (120, 40)
FRAME, HELD = 0.35, 2.5
"""Seconds that a picture stands, and those that are to be read."""
EVERY = 6
"""Updates between two pictures."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One picture of the story."""

    state: Snapshot
    seconds: float


def beats() -> list[Beat]:
    """Return the states that the story is told with."""
    shown: list[Beat] = []
    states: tuple[Snapshot, ...] = kept_states()["story"]
    for before, state in zip((None, *states), states, strict=False):
        last = shown[-1].state if shown else None
        turned = before is not None and (
            before.recalibration is not state.recalibration
            or before.recalibrated is not state.recalibrated
        )
        ends = state is states[-1]
        if turned or ends:
            shown.append(Beat(state, HELD))
        elif last is None or state.update >= last.update + EVERY:
            shown.append(Beat(state, FRAME))
    return shown


async def story() -> str:
    """Return the moving picture."""
    frames: list[tuple[Rows, float]] = []
    told = beats()
    async with opened((told[0].state,), SIZE, LOOKS[0]) as visitor:
        run: Any = visitor.app.explorer.run
        for beat in told:
            run.snapshot = beat.state
            await visitor.settle()
            frames.append((cells(visitor.app), beat.seconds))
    return moving(frames)
