"""The area in which one line of a plot lies below another: where it is, and what is written in it.

Pure but for `GapLabel`, which remembers where its text stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bntui.core.series import Array, SeriesView, value_at
from bntui.diagnose.significance import GAP
from bntui.ui.terminal.glyphs import DOTS, Glyphs

if TYPE_CHECKING:  # plot draws what this finds
    from bntui.ui.drawing.plot import Line

Mask = npt.NDArray[np.bool_]
Trace = tuple[Array, Array]
"""The lowest and the highest dot of a line in each dot column; infinite where it has none."""
SHADE = {Glyphs.BRAILLE: "░", Glyphs.BLOCKS: "░", Glyphs.ASCII: ":"}
"""What fills the area. It is no character that a line is drawn with."""
WORDS = ("lost to stale statistics", "lost")
GROWN = 3
"""How many times as large an area is when its label is put into the middle anew."""


@dataclass(slots=True)
class GapLabel:
    """Where the text in an area stands. There it stays for as long as it has room in a plot of this size."""

    text: int = -1
    """Which of the texts it is, the longest that has room; −1: none has been written yet."""
    row: int = 0
    start: int = 0
    cells: int = 0
    """Those of the area when the place was chosen."""
    plot: tuple[int, ...] = ()
    """Rows and columns of the plot then."""

    def place(self, free: Mask, texts: Sequence[str]) -> str:
        """Find the place for the longest of `texts` that has room in the `free` cells.

        Returns that text, nothing if none has room.
        """
        cells = int(free.sum())
        for number, text in enumerate(texts):
            held = (number, free.shape) == (self.text, self.plot) and cells < GROWN * self.cells
            if held and _has_room(free, self.row, self.start, len(text)):
                return text
            found = middle(free, len(text))
            if found:
                self.text, (self.row, self.start), self.cells = number, found, cells
                self.plot = free.shape
                return text
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """Two of a plot's lines, where the area between them lies, and what is written in it."""

    upper: Line
    lower: Line
    texts: tuple[str, ...] = ()
    """The longest first, all of the same figure."""
    label: GapLabel = field(default_factory=GapLabel)


def lost(upper: SeriesView, lower: SeriesView, x: float) -> tuple[str, ...]:
    """Say how much accuracy is lost at `x`, in shorter and shorter words; nothing if that is no harm."""
    best, got = value_at(upper, x), value_at(lower, x)
    if best is None or got is None or not best - got > GAP:
        return ()
    return tuple(f" {words}: {best - got:.2f} " for words in WORDS)


def between(upper: Trace, lower: Trace, height: int, glyphs: Glyphs) -> Mask:
    """Return which cells lie wholly below the upper and above the lower of two lines."""
    across, up = DOTS[glyphs]
    known = _known(upper, lower)
    ceiling = np.where(known, upper[0], np.inf).reshape(-1, across).min(1)
    floor = np.where(known, lower[1], -np.inf).reshape(-1, across).max(1)
    bottom = up * np.arange(height)[::-1, None]
    inside = (floor < bottom) & (bottom + up - 1 < ceiling)
    return np.asarray(inside & known.reshape(-1, across).any(1))


def newest(upper: Trace, lower: Trace, glyphs: Glyphs) -> int:
    """Return the last column of cells that both lines reach; 0 if there is none."""
    return int(_known(upper, lower).nonzero()[0].max(initial=0)) // DOTS[glyphs][0]


def _known(upper: Trace, lower: Trace) -> Mask:
    return np.isfinite(upper[0]) & np.isfinite(lower[1])


def around(area: Mask, column: int | None) -> Mask:
    """Return the part of an area that reaches over a column without a break; None: it is out of sight.

    What is lost there is no figure for another part.
    """
    breaks = np.flatnonzero(~np.asarray(area.any(0)))
    if column is None or column in breaks:
        return np.zeros_like(area)
    parts = np.searchsorted(breaks, np.arange(area.shape[1]))
    return np.asarray(area & (parts == parts[column]))


def middle(free: Mask, width: int) -> tuple[int, int] | None:
    """Return row and first column of `width` free cells nearest to the middle of all that are free.

    With free ones above and below, if there are such. None if there is no room at all.
    """
    if width > free.shape[1]:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(free, width, axis=1)
    fits: Mask = np.asarray(windows.all(-1))
    roomy = fits.copy()
    roomy[0] = roomy[-1] = False
    roomy[1:-1] &= fits[:-2] & fits[2:]
    places = np.argwhere(roomy if roomy.any() else fits)
    if not len(places):
        return None
    rows, columns = np.nonzero(free)
    away = places - (rows.mean(), columns.mean() - (width - 1) / 2)
    row, start = places[
        np.argmin((away * (2, 1)) ** 2 @ (1, 1))
    ].tolist()  # a cell is twice as high
    return row, start


def _has_room(free: Mask, row: int, start: int, width: int) -> bool:
    height, columns = free.shape
    within = row < height and start + width <= columns
    return within and bool(free[row, start : start + width].all())
