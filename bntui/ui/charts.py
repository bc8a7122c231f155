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

if TYPE_CHECKING:  # for its types only: nothing here needs Textual
    from bntui.ui.canvas import Picture, Row, Run

AXIS = 6
"""Cells of the y axis: five for a number, one for the line."""
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


@dataclass(frozen=True, slots=True)
class YRange:
    """What the height of a chart stands for, linear or logarithmic."""

    low: float
    high: float
    log: bool = False

    def fraction(self, values: Array | float) -> Array:
        """Return the heights of `values`: 0 at `low` and below, 1 at `high` and above."""
        low, high = self.low, self.high
        if self.log:
            values, low, high = np.log10(np.maximum(values, low)), math.log10(low), math.log10(high)
        return np.clip((np.asarray(values) - low) / (high - low), 0.0, 1.0)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Return some `most` + 1 round values and how to write them, in five characters."""
        if self.log:
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            step = -(-(last - first) // max(most, 1))
            return [
                (10.0**decade, f"{10.0**decade:g}" if -2 <= decade <= 3 else f"1e{decade}")
                for decade in range(first, last + 1, step)
            ]
        span = self.high - self.low
        size = _nice(span / max(most, 1))
        first, last = math.ceil(self.low / size - _FUZZ), math.floor(self.high / size + _FUZZ)
        values = [size * n for n in range(first, last + 1)]
        if len(values) < 2:
            size, values = _nice(span / 10), [self.low, self.high]
        decimals = max(0, -math.floor(math.log10(size) + _FUZZ))
        plain = [f"{value:.{decimals}f}" for value in values]
        if max(map(len, plain)) > AXIS - 1:
            plain = [_scientific(value) for value in values]
        return list(zip(values, plain, strict=True))


UNIT = YRange(0.0, 1.0)
"""The range of an accuracy."""


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
    return _scientific(value)


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


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
    first, middle, last = (f"{x:.6g}" for x in (low, (low + high) / 2, high))
    put(width - len(last), last, "axis")
    put(0, first, "axis")
    for mark in reversed(visible):
        right = cells[mark] + 2
        put(right, mark.label, "") or put(right - 3 - len(mark.label), mark.label, "")
    put((width - len(middle)) // 2, middle, "axis")
    return row


def _cell(x: float, low: float, high: float, width: int) -> int:
    return round((x - low) / (high - low) * (2 * width - 1)) // 2


def grown(x_max: float, start: float = 32) -> float:
    """Return the end of an x axis from 0: `start`, doubled until `x_max` is on it.

    A doubling redraws the whole chart, a sliding axis would do so with every point.
    """
    return start * 2.0 ** max(0, math.ceil(math.log2(max(x_max, 1) / start)))


def extent(
    lines: Sequence[Line], x_low: float, x_high: float, *, log: bool = False
) -> tuple[float, float]:
    """Return the least and the greatest value in sight, positive ones if `log`; NaN without any."""
    least, greatest = math.inf, -math.inf
    for line in lines:
        view = line.view
        seen = (view.x >= x_low) & (view.x <= x_high) & (view.high > (0 if log else -math.inf))
        if seen.any():
            lows, highs = view.low[seen], view.high[seen]
            least = min(least, np.where(lows > 0, lows, highs).min() if log else lows.min())
            greatest = max(greatest, highs.max())
    return (least, greatest) if least <= greatest else (math.nan, math.nan)


def settled(previous: YRange | None, low: float, high: float, *, log: bool = False) -> YRange:
    """Return a round range around `low` to `high`: the previous one as long as it serves.

    It does until values leave it or need less than a quarter of it (half of its decades): a
    change of range redraws the whole chart.
    """
    if math.isnan(low):
        return previous or (YRange(0.1, 10.0, log=True) if log else UNIT)
    fresh = _round_log(low, high) if log else _round_linear(low, high)
    if previous is None or previous.log != log or low < previous.low or high > previous.high:
        return fresh
    if log:
        wasteful = math.log(previous.high / previous.low) > 2 * math.log(fresh.high / fresh.low)
    else:
        wasteful = previous.high - previous.low > 4 * (fresh.high - fresh.low)
    return fresh if wasteful else previous


def _round_linear(low: float, high: float) -> YRange:
    low, high = max(low, -_HUGE), min(high, _HUGE)
    if high - low <= _FUZZ * abs(high):
        margin = abs(high) / 10 or 1.0
        low, high = low - margin, high + margin
    size = _nice((high - low) / 4)
    return YRange(
        math.floor(low / size + _FUZZ) * size,
        math.ceil(high / size - _FUZZ) * size,
    )


def _round_log(low: float, high: float) -> YRange:
    first = math.floor(math.log10(max(low, 1 / _HUGE)))
    last = math.ceil(math.log10(min(high, _HUGE)))
    return YRange(10.0**first, 10.0 ** max(last, first + 1), log=True)


def _nice(size: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not below `size`."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(n * power for n in (1, 2, 5, 10) if n * power >= size * (1 - _FUZZ))


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw the last `width` values between their own extremes; NaN and infinities are dots."""
    blocks = "▁▂▃▄▅▆▇█"
    shown = np.array(values[-width:] if width > 0 else [], dtype=np.float64)
    finite = np.isfinite(shown)
    if not finite.any():
        return ("·" * len(shown)).ljust(width)
    low, high = shown[finite].min(), shown[finite].max()
    heights = (shown - low) / (high - low) * 7 if high > low else shown * 0 + 3
    return "".join(
        blocks[round(height)] if math.isfinite(height) else "·" for height in heights
    ).ljust(width)


def bar(fraction: float, width: int) -> str:
    """Draw a bar of `fraction` × `width` cells, to an eighth of a cell; a dot for NaN."""
    if math.isnan(fraction):
        return "·".ljust(width)
    eighths = round(min(max(fraction, 0.0), 1.0) * width * 8)
    return ("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8]).rstrip().ljust(width)
