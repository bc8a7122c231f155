"""Pictures of numbers as text: charts in braille, sparklines and bars.

Pure functions from numbers to `canvas.Picture`. A chart costs the same however long the run is:
it reads the buckets of a `SeriesView` and works in whole dot columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bntui.engine.series import Array, SeriesView
from bntui.engine.snapshot import Mark
from bntui.ui.scales import AXIS, YRange, scientific

if TYPE_CHECKING:  # for its types only: nothing here needs Textual
    from bntui.ui.canvas import Picture, Row, Run

LEGEND = 15
"""Cells right of the plot: a blank, a value, a name."""

_BITS = (6, 2, 1, 0, 7, 5, 4, 3)
"""Unicode's bit of each braille dot, up the left column, then up the right one."""
GLYPHS = np.array(
    [" "]
    + [
        chr(0x2800 + sum(1 << bit for place, bit in enumerate(_BITS) if dots >> place & 1))
        for dots in range(1, 256)
    ]
)
"""What a cell shows for each pattern of its eight dots."""
_BROKEN = "×"
_FUZZ = 1e-9
_HUGE = 1e99
"""Beyond it values lie at the edge of an axis, whose numbers keep to five characters."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One series of a chart. Ghosts are drawn first, and named only where there is room."""

    label: str
    style: str
    view: SeriesView
    ghost: bool = False


def chart(
    lines: Sequence[Line],
    *,
    width: int,
    height: int,
    x_low: float,
    x_high: float,
    y: YRange,
    marks: Sequence[Mark] = (),
    x_label: str = "updates",
) -> Picture:
    """Draw a whole chart: y axis, plot, each line's latest value and name, and the x axis below."""
    columns, rows = width - AXIS - LEGEND, height - 1
    if columns < 1 or rows < 1:
        return []
    plot = braille(lines, width=columns, height=rows, x_low=x_low, x_high=x_high, y=y)
    axis = _y_axis(y, rows)
    legend = _legend(lines, y, rows)
    picture = [
        [(tick, "axis"), *dots, name] for tick, dots, name in zip(axis, plot, legend, strict=True)
    ]
    bottom = _x_axis(columns, x_low, x_high, marks)
    return [*picture, [(" " * AXIS, ""), *bottom, (f" {x_label}", "axis")]]


def braille(
    lines: Sequence[Line], *, width: int, height: int, x_low: float, x_high: float, y: YRange
) -> Picture:
    """Draw lines in `width` × `height` cells of 2 × 4 dots.

    A dot column spans the minimum to the maximum of its data and is joined to its neighbours. A
    value that is not finite breaks the line and leaves a mark on the bottom row. A cell that lines
    share holds the dots of all and the colour of the last.
    """
    ordered = sorted(lines, key=lambda line: not line.ghost)
    roles = ["", *(line.style for line in ordered), "bad"]
    dots = np.zeros((height, width), dtype=np.uint8)
    owner = np.zeros((height, width), dtype=np.intp)
    broken: list[int] = []
    for number, line in enumerate(ordered, start=1):
        place = (line.view.x - x_low) / (x_high - x_low) * (2 * width - 1)
        low, high = _trace(line.view, place, y, columns=2 * width, rows=4 * height)
        own = _cells(low, high, height)
        dots |= own
        owner[own > 0] = number
        broken += (np.rint(place[line.view.broken]).astype(np.intp) // 2).tolist()
    text = GLYPHS[dots].tolist()
    for cell in {cell for cell in broken if 0 <= cell < width}:
        text[-1][cell] = _BROKEN
        owner[-1, cell] = len(roles) - 1
    return [_runs("".join(row), roles, owners) for row, owners in zip(text, owner, strict=True)]


def _trace(
    view: SeriesView, place: Array, y: YRange, *, columns: int, rows: int
) -> tuple[Array, Array]:
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


def _cells(low: Array, high: Array, height: int) -> npt.NDArray[np.uint8]:
    """Return the dots (indices into `GLYPHS`) of columns filled from `low` to `high`."""
    floor = 4 * np.arange(height)[::-1, None]
    start = np.clip(low - floor, 0, 4).astype(np.uint8)
    stop = np.clip(high - floor + 1, 0, 4).astype(np.uint8)
    dots = np.where(start < stop, (1 << stop) - (1 << start), 0).astype(np.uint8)
    return np.asarray(dots[:, ::2] | dots[:, 1::2] << 4, dtype=np.uint8)


def _runs(text: str, roles: Sequence[str], owner: npt.NDArray[np.intp]) -> Row:
    """Cut one row of text where the index into `roles` changes."""
    edges = [0, *(np.flatnonzero(owner[1:] != owner[:-1]) + 1).tolist(), len(text)]
    return [(text[start:end], roles[owner[start]]) for start, end in pairwise(edges)]


def _y_axis(y: YRange, rows: int) -> list[str]:
    axis = [" " * (AXIS - 1) + "│"] * rows
    for value, text in y.ticks(2 * rows // 5):
        axis[_row(y, value, rows)] = f"{text + ' ':>{AXIS - 1}.{AXIS - 1}}┤"
    return axis


def _row(y: YRange, value: float, rows: int) -> int:
    """Return the cell row, from the top, in which the dot of `value` lies."""
    return rows - 1 - round(float(y.fraction(np.float64(value))) * (4 * rows - 1)) // 4


def _legend(lines: Sequence[Line], y: YRange, rows: int) -> list[Run]:
    """Name the lines at the heights where they end, moved apart; one run a row."""
    named = sorted(lines, key=lambda line: line.ghost)[:rows]
    wanted = [
        rows - 1 if math.isnan(line.view.latest) else _row(y, line.view.latest, rows)
        for line in named
    ]
    legend: list[Run] = [("", "")] * rows
    for line, row in zip(named, spread(wanted, rows), strict=True):
        value = _number(line.view.latest) if len(line.view) else "–"
        legend[row] = (f" {value:>5} {line.label}"[:LEGEND], line.style)
    return legend


def spread(wanted: Sequence[int], rows: int) -> list[int]:
    """Return a row of its own for each of at most `rows` items, near the one it wants.

    Items give way downwards, and upwards only at the bottom; equals keep their order.
    """
    order = sorted(range(len(wanted)), key=lambda item: wanted[item])
    placed = [0] * len(wanted)
    lowest = -1
    for position, item in enumerate(order):
        room = rows - (len(order) - position)
        lowest = min(max(wanted[item], lowest + 1), room)
        placed[item] = lowest
    return placed


def _number(value: float) -> str:
    """Write a value in at most five characters where its sign and exponent allow."""
    if math.isnan(value):
        return "nan"
    for limit, decimals in ((9.9995, 3), (99.995, 2), (999.95, 1), (99999.5, 0)):
        if abs(value) < limit:
            return f"{value:.{decimals}f}"
    return scientific(value)


def _x_axis(width: int, low: float, high: float, marks: Sequence[Mark]) -> Row:
    """Write marks and numbers into one row of `width` cells; what finds no room is left out."""
    row: Row = [(" ", "")] * width
    cells = {mark: _cell(mark.update, low, high, width) for mark in marks}
    visible = [mark for mark in marks if 0 <= cells[mark] < width]

    def put(start: int, text: str, role: str) -> bool:
        end = start + len(text)
        margin = row[max(start - 1, 0) : end + 1]
        fits = start >= 0 and end <= width and all(cell == (" ", "") for cell in margin)
        if fits:
            row[start:end] = [(character, role) for character in text]
        return fits

    for mark in visible:
        row[cells[mark]] = ("▲", "")
    first, middle, last = (f"{x:.8g}" for x in (low, (low + high) / 2, high))
    put(width - len(last), last, "axis")
    put(0, first, "axis")
    for mark in reversed(visible):
        right = cells[mark] + 2
        put(right, mark.label, "") or put(right - 3 - len(mark.label), mark.label, "")
    put((width - len(middle)) // 2, middle, "axis")
    return row


def _cell(x: float, low: float, high: float, width: int) -> int:
    return round((x - low) / (high - low) * (2 * width - 1)) // 2


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw the last `width` values between their own extremes; NaN and infinities are dots."""
    blocks = "▁▂▃▄▅▆▇█"
    shown = values[-width:] if width > 0 else ()
    finite = [value for value in shown if math.isfinite(value)]
    low, span = min(finite, default=0.0), max(finite, default=0.0) - min(finite, default=0.0)
    return "".join(
        blocks[round(7 * (value - low) / span) if span else 3] if math.isfinite(value) else "·"
        for value in shown
    ).ljust(width)


def bar(fraction: float, width: int) -> str:
    """Draw a bar of `fraction` × `width` cells, to an eighth of a cell; a dot for NaN."""
    if math.isnan(fraction):
        return "·".ljust(width)
    eighths = round(min(max(fraction, 0.0), 1.0) * width * 8)
    return ("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8]).rstrip().ljust(width)
