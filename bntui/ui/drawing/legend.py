"""The legend of a chart: what each line is called, and its value at one position."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from bntui.core.cells import cell_len, shorten
from bntui.core.scales import scientific
from bntui.core.series import value_at
from bntui.ui.drawing.plot import Line

if TYPE_CHECKING:
    from bntui.ui.drawing.canvas import Row

OWNER = 8
"""Cells of a ghost's name that there is always room for, beside a line's name or two values."""
LEGEND = 13 + OWNER
"""Cells right of the plot: a blank, a value, a blank and a name, as long as "bias-corrected"."""
SHORT = {"running": "run"}
"""Short forms of the words in a name, for where the whole one has no room."""


def legend(
    lines: Sequence[Line],
    *,
    rows: int,
    x: float,
    x_high: float,
    row_of: Callable[[float], int],
) -> list[Row]:
    """Name the lines at the heights where they end at `x_high`, moved apart; read them at `x`.

    Names stay where they are while the crosshair moves. What finds no row is left to `leftover`.
    """
    shown = _entries(lines, rows)[:rows]
    ends = [value_at(entry[0].view, x_high) for entry in shown]
    wanted = [rows - 1 if end is None or math.isnan(end) else row_of(end) for end in ends]
    texts: list[Row] = [[] for _ in range(rows)]
    for entry, row in zip(shown, spread(wanted, rows), strict=True):
        texts[row] = _entry(entry, x)
    return texts


def leftover(lines: Sequence[Line], rows: int, x: float) -> list[str]:
    """Read at `x` what the legend has no row for: "was 0.974 0.114"."""
    return [
        " ".join([_name(entry), *(_written(value_at(line.view, x)) for line in entry)])
        for entry in _entries(lines, rows)[rows:]
    ]


def _entries(lines: Sequence[Line], rows: int) -> list[list[Line]]:
    """Return which lines share a row: those of one ghost, where not every line can have its own."""
    named = [line for line in lines if line.label]
    ghosts = [line for line in named if line.ghost]
    together = len(named) > rows
    groups = groupby(ghosts, _owner if together else id)
    return [[line] for line in named if not line.ghost] + [list(group) for _, group in groups]


def _owner(line: Line) -> str:
    return line.label.rpartition(" ")[0] or line.label


def _name(entry: Sequence[Line]) -> str:
    return entry[0].label if len(entry) == 1 else _owner(entry[0])


def _entry(entry: Sequence[Line], x: float) -> Row:
    """Return one row of the legend: " 0.974 fresh", or of a ghost " 0.974 0.114 was"."""
    values = [(f" {_written(value_at(line.view, x)):>5}", line.style) for line in entry]
    *others, (last, style) = values
    room = LEGEND - sum(len(text) for text, _ in values) - 1
    return [*others, (f"{last} {fitting(_name(entry), room)}", style)]


def fitting(name: str, room: int) -> str:
    """Return a name in at most so many cells: whole, in short forms, or what is left of it."""
    if cell_len(name) <= room:
        return name
    return shorten(" ".join(SHORT.get(word, word) for word in name.split()), room)


def _written(value: float | None) -> str:
    """Write a value in at most five characters where its sign and exponent allow."""
    if value is None:
        return "–"
    if math.isnan(value):
        return "nan"
    for limit, decimals in ((9.9995, 3), (99.995, 2), (999.95, 1), (99999.5, 0)):
        if abs(value) < limit:
            return f"{value:.{decimals}f}"
    return scientific(value)


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
