"""The story as one moving picture: validation fails, c repairs the averages, validation is sound."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rich.style import Style

from tools.gallery.states import kept_states
from tools.gallery.svg import Rows, moving
from tools.gallery.visit import LOOKS, opened
from tools.picture_checks.shown import Cell, cells

if TYPE_CHECKING:
    from bntui.core.snapshot import Snapshot

SIZE = (120, 40)
FRAME, READ = 0.3, 3.0
"""Seconds that a picture stands, and those that one is to be read for."""
FAILS, PRESS, HEALED = (
    "A batch of 256, momentum 0.99: training goes well, and validation fails",
    "c",
    "New averages: the same weights, and validation shows what they can do",
)
"""What stands below the screen; the second is the key that is pressed."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One picture of the story."""

    state: Snapshot
    seconds: float
    caption: str


def beats() -> list[Beat]:
    """Return the states that the story is told with, and what is said to them."""
    states: tuple[Snapshot, ...] = kept_states()["story"]
    told: list[Beat] = []
    for state, following in pairwise((*states, None)):
        assert state is not None
        sound = state.recalibrated is not None
        pressed = following is not None and not sound and following.recalibrated is not None
        turned = sound and told[-1].caption != HEALED
        if pressed:
            told += [Beat(state, READ, FAILS), Beat(state, READ / 2, f"press {PRESS}")]
        elif turned or following is None:
            told.append(Beat(state, READ, HEALED))
        else:
            told.append(Beat(state, FRAME, HEALED if sound else FAILS))
    return told


async def story() -> str:
    """Return the moving picture."""
    told = beats()
    frames: list[tuple[Rows, float]] = []
    async with opened((told[0].state,), SIZE, LOOKS[0]) as visitor:
        run: Any = visitor.app.explorer.run
        for beat in told:
            run.snapshot = beat.state
            await visitor.settle()
            rows = cells(visitor.app)
            frames.append(([*rows, *below(rows, beat.caption)], beat.seconds))
    return moving(frames)


def below(rows: Rows, caption: str) -> Rows:
    """Return the rows of a caption, in the middle below a screen."""
    style = Style(color="#ffffff", bgcolor=rows[1][-1].style.bgcolor, bold=True)
    width = len(rows[0])
    return [[Cell(one, style) for one in text.center(width)] for text in ("", caption)]
