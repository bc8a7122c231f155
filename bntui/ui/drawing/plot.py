"""Lines as dots, several of which share a cell.

Pure functions from numbers to `canvas.Picture`. A plot costs the same however long the run is: it
reads the buckets of a `SeriesView` and works in whole dot columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bntui.core.scales import YRange
from bntui.core.series import Array, SeriesView
from bntui.ui.drawing.gap import SHADE, Gap, Mask, Trace, around, between, newest
from bntui.ui.terminal.glyphs import CELLS, DOTS, Glyphs, cell

if TYPE_CHECKING:  # for its types only: nothing here needs Textual
    from bntui.ui.drawing.canvas import Picture, Row

_BROKEN, _CROSSHAIR = "×", "│"


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One series of a chart, over the unit of the chart's x axis. Ghosts lie below the others."""

    label: str
    """What the legend calls it; empty for a line that it does not name."""
    style: str
    view: SeriesView
    ghost: bool = False
    every: int = 1
    """Every how many dots across one is drawn: with more than 1 a line is told apart without colours."""

    @property
    def letter(self) -> str:
        """What draws it in ASCII: the name's last word's initial, a capital for a ghost."""
        initial = self.label.rpartition(" ")[2][:1] or "."
        return initial.upper() if self.ghost else initial


def plot(
    lines: Sequence[Line],
    *,
    width: int,
    height: int,
    x_low: float,
    x_high: float,
    y: YRange,
    cursor: float | None = None,
    glyphs: Glyphs = Glyphs.BRAILLE,
    gap: Gap | None = None,
) -> Picture:
    """Draw lines in `width` × `height` cells, and a crosshair in the column of x = `cursor`.

    A dot column spans the minimum to the maximum of its data and is joined to its neighbours. A
    value that is not finite breaks the line and leaves a mark on the bottom row. A cell that lines
    share holds the dots of all and the colour of the last; the crosshair keeps to empty cells, as
    the area of a `gap` between two lines does, and lies above it and below its label.
    """
    across, up = DOTS[glyphs]
    ordered = sorted(lines, key=lambda line: not line.ghost)
    places = [(line.view.x - x_low) / (x_high - x_low) * (across * width - 1) for line in ordered]
    traces = [
        _trace(line.view, place, y, columns=across * width, rows=up * height)
        for line, place in zip(ordered, places, strict=True)
    ]
    grid = _Grid(np.full((height, width), " "), np.zeros((height, width), dtype=np.intp))
    _put_lines(grid, ordered, traces, glyphs)
    for line, place in zip(ordered, places, strict=True):
        broken = np.rint(place[line.view.broken]).astype(np.intp) // across
        grid.put((-1, broken[(broken >= 0) & (broken < width)]), _BROKEN, "bad")
    empty = grid.text == " "
    column = None
    if cursor is not None and x_low <= cursor <= x_high:
        column = cell((cursor - x_low) / (x_high - x_low), width, across)
        grid.put((empty[:, column].nonzero()[0], column), _CROSSHAIR, "faint")
    if gap:
        upper, lower = (traces[ordered.index(line)] for line in (gap.upper, gap.lower))
        if cursor is None:
            column = newest(upper, lower, glyphs)
        _put_gap(grid, gap, empty & between(upper, lower, height, glyphs), column, glyphs)
    return grid.picture()


@dataclass(slots=True)
class _Grid:
    """Cells to be filled: each one's character and role."""

    text: npt.NDArray[np.str_]
    owner: npt.NDArray[np.intp]
    """Indices into `roles`."""
    roles: list[str] = field(default_factory=lambda: [""])

    def put(self, cells: Any, text: str | list[str], role: str) -> None:
        """Write into the cells that an index of numpy's names."""
        if role not in self.roles:
            self.roles.append(role)
        self.text[cells], self.owner[cells] = text, self.roles.index(role)

    def picture(self) -> Picture:
        """Return what was written, a row cut wherever the role changes."""
        return [
            _runs("".join(row), self.roles, owners)
            for row, owners in zip(self.text, self.owner, strict=True)
        ]


def _put_lines(grid: _Grid, lines: Sequence[Line], traces: Sequence[Trace], glyphs: Glyphs) -> None:
    """Draw lines, the last on top; in ASCII a cell shows one line only, and says which."""
    height, width = grid.text.shape
    dots = np.zeros((height, width), dtype=np.uint8)
    for line, (low, high) in zip(lines, traces, strict=True):
        own = _patterns(*_every(line.every, low, high), height, *DOTS[glyphs])
        dots |= own
        grid.put(own > 0, line.letter, line.style)
    if glyphs is not Glyphs.ASCII:
        grid.text[:] = CELLS[glyphs][dots]


def _put_gap(grid: _Grid, gap: Gap, area: Mask, column: int | None, glyphs: Glyphs) -> None:
    """Shade an area, below what is drawn, and write over the part of it around `column`."""
    grid.put(area & (grid.text == " "), SHADE[glyphs], "shade")
    if words := gap.label.place(around(area, column), gap.texts):
        span = slice(gap.label.start, gap.label.start + len(words))
        grid.put((gap.label.row, span), list(words), gap.lower.style)


def _trace(view: SeriesView, place: Array, y: YRange, *, columns: int, rows: int) -> Trace:
    """Return the lowest and the highest dot of a line in each column; lowest > highest: none.

    `place` is each bucket's position in dot columns, from 0 to columns − 1 for what is visible.
    """
    low, high = np.full(columns, np.inf), np.full(columns, -np.inf)
    filled = ~np.isnan(view.low)
    if not filled.any():
        return low, high
    place = place[filled]
    lows = y.fraction(view.low[filled]) * (rows - 1)
    highs = y.fraction(view.high[filled]) * (rows - 1)
    breaks = np.cumsum(view.broken)[filled]
    # Whether a point is joined to the next; the last is not, nor is "the point before the first".
    joined = np.append(breaks[1:] == breaks[:-1], False)

    # Columns that hold points span their minimum to their maximum.
    at = np.rint(place).astype(np.intp)
    starts = np.flatnonzero(np.diff(at, prepend=at[0] - 1))
    seen = (at[starts] >= 0) & (at[starts] < columns)
    low[at[starts][seen]] = np.minimum.reduceat(lows, starts)[seen]
    high[at[starts][seen]] = np.maximum.reduceat(highs, starts)[seen]

    # Columns between two joined points are interpolated.
    column = np.arange(columns)
    before = np.searchsorted(at, column, side="right") - 1
    between = joined[before] & np.isinf(low)
    low[between] = np.interp(column[between], place, lows)
    high[between] = np.interp(column[between], place, highs)

    # Where joined columns leave rows between them, each fills its half.
    bottom, top = np.rint(low), np.rint(high)
    low, high = bottom.copy(), top.copy()
    left = np.flatnonzero(joined[before][:-1])
    right = left + 1
    rise = np.floor((top[left] + bottom[right]) / 2)
    fall = np.floor((bottom[left] + top[right]) / 2)
    high[left] = np.maximum(top[left], rise)
    low[right] = np.minimum(bottom[right], rise + 1)
    low[left] = np.minimum(low[left], fall + 1)
    high[right] = np.maximum(high[right], fall)
    return low, high


def _every(step: int, low: Array, high: Array) -> Trace:
    """Leave out all dot columns but the first of every so many."""
    drawn = np.arange(len(low)) % step == 0
    return np.where(drawn, low, np.inf), np.where(drawn, high, -np.inf)


def _patterns(low: Array, high: Array, height: int, across: int, up: int) -> npt.NDArray[np.uint8]:
    """Return the dots of each cell, as bits, for dot columns filled from `low` to `high`."""
    floor = up * np.arange(height)[::-1, None]
    start = np.clip(low - floor, 0, up).astype(np.uint8)
    stop = np.clip(high - floor + 1, 0, up).astype(np.uint8)
    columns = np.where(start < stop, (1 << stop) - (1 << start), 0).astype(np.uint8)
    dots = columns[:, ::across].copy()
    for number in range(1, across):
        dots |= columns[:, number::across] << np.uint8(number * up)
    return dots


def _runs(text: str, roles: Sequence[str], owner: npt.NDArray[np.intp]) -> Row:
    """Cut one row of text where the index into `roles` changes."""
    edges = [0, *(np.flatnonzero(owner[1:] != owner[:-1]) + 1).tolist(), len(text)]
    return [(text[start:end], roles[owner[start]]) for start, end in pairwise(edges)]
