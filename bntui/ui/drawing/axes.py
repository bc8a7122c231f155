"""The axes of a chart as text: round numbers, and marks on the one below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bntui.core.scales import WIDEST, YRange, nice
from bntui.ui.drawing.marks import Flag
from bntui.ui.drawing.view import Axis
from bntui.ui.terminal.glyphs import cell

if TYPE_CHECKING:
    from bntui.ui.drawing.canvas import Row

AXIS = WIDEST + 1
"""Cells of the y axis: those of a number, and one for the line."""
LABELS = {Axis.UPDATES: "updates", Axis.IMAGES: "images", Axis.SECONDS: "time"}
TICK = 12
"""Cells that a number of the x axis may take, with the room beside it."""
_FUZZ = 1e-9
_MINUTE, _HOUR = 60.0, 3600.0
_TIMES = (
    *(1, 2, 5, 10, 15, 30),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 6, 12, 24)),
)
"""Steps in seconds that are round on a clock."""


def y_axis(y: YRange, rows: int, up: int) -> list[str]:
    """Return the y axis for `rows` cells of `up` dots, a text a row."""
    axis = [" " * (AXIS - 1) + "│"] * rows
    for value, text in y.ticks(2 * rows // 5):
        axis[row_of(y, value, rows, up)] = f"{text + ' ':>{AXIS - 1}.{AXIS - 1}}┤"
    return axis


def row_of(y: YRange, value: float, rows: int, up: int) -> int:
    """Return the row, from the top, of the cell in which the dot of `value` lies."""
    return rows - 1 - cell(float(y.fraction(value)), rows, up)


def x_axis(
    width: int, low: float, high: float, axis: Axis, flags: Sequence[Flag], across: int
) -> Row:
    """Write marks and numbers into one row of cells; what finds no room is left out.

    First come the marks, then their labels, the latest first, and before all others what has a
    role of its own; then the last number and those before it.
    """
    row: Row = [(" ", "")] * width

    def column(x: float) -> int:
        return cell((x - low) / (high - low), width, across)

    def put(start: int, text: str, role: str) -> bool:
        end = start + len(text)
        margin = row[max(start - 1, 0) : end + 1]
        fits = start >= 0 and end <= width and all(character == " " for character, _ in margin)
        if fits:
            row[start:end] = [(character, role) for character in text]
        return fits

    visible = [flag for flag in flags if low <= flag.x <= high]
    for flag in sorted(visible, key=lambda flag: bool(flag.role)):
        row[column(flag.x)] = (flag.symbol, flag.role)
    for flag in sorted(visible[: -width - 1 : -1], key=lambda flag: not flag.role):
        right = column(flag.x) + 2
        put(right, flag.label, flag.role) or put(right - 3 - len(flag.label), flag.label, flag.role)
    ticks = x_ticks(low, high, max(1, width // TICK), axis)
    for x, text in reversed(ticks):
        start = column(x) - len(text) // 2
        put(min(max(start, 0), width - len(text)), text, "axis")
    return row


def x_ticks(low: float, high: float, most: int, axis: Axis) -> list[tuple[float, str]]:
    """Return some `most` + 1 round positions between `low` and `high`, and how to write them."""
    size = (high - low) / most
    if axis is Axis.SECONDS:
        size = next((step for step in _TIMES if step >= size), 24 * _HOUR * nice(size / 24 / _HOUR))
    else:
        size = max(1.0, nice(size))
    first, last = math.ceil(low / size - _FUZZ), math.floor(high / size + _FUZZ)
    divisor, unit = _unit(high, axis)
    return [
        (size * n, f"{round(size * n / divisor, 6):.8g}{unit if n else ''}")
        for n in range(first, last + 1)
    ]


def position(x: float, axis: Axis) -> str:
    """Write one position in its unit: "update 96", "24.8k images", "90 s"."""
    if axis is Axis.UPDATES:
        return f"update {x:,.0f}"
    divisor, unit = _unit(x, axis)
    return f"{x / divisor:.{3 if divisor > 1 else 4}g}{unit}{' images' * (axis is Axis.IMAGES)}"


def _unit(high: float, axis: Axis) -> tuple[float, str]:
    """Return by what to divide, and the suffix, for numbers up to `high`."""
    if axis is Axis.SECONDS:
        if high <= 2 * _MINUTE:
            return 1.0, " s"
        return (_MINUTE, " min") if high <= 2 * _HOUR else (_HOUR, " h")
    if high >= 1e6:
        return 1e6, "M"
    return (1e3, "k") if high >= 1e4 else (1.0, "")
