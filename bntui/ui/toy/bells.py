"""The picture of the channel: a batch that drops in, the fresh curve and the remembered one.

Pure functions from the toy's state to a `Picture`. From the top: what the curves are, where validation
cuts, the curves and the values that fall through them, the axis on which the batch has landed, its
numbers, and how far the remembered mean moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bntui.core.toy import Batch, Statistics, Toy
from bntui.diagnose.headline import fitting
from bntui.ui.terminal.glyphs import CELLS, DOTS, Glyphs
from bntui.ui.toy.words import number, share

if TYPE_CHECKING:
    from bntui.ui.drawing.canvas import Picture, Row, Span

Dots = npt.NDArray[np.bool_]
Cells = list[list["Span"]]
"""Rows of single characters with their roles."""

LOW, HIGH = -4.6, 12.6
"""The ends of the axis."""
FIRST, LAST = -4, 12
"""The first and the last number under it."""
WITH_ANSWERS = 9
"""Rows from which on one says where validation cuts."""
ROOMY = 100
"""Columns from which on every whole number is written under the axis."""
FIXED = 4
"""Rows without curves: the words on top, the axis, its numbers, the move."""
ZERO, ONE = "○", "●"
FILL, LINE, CUT = "▒", "━", "┊"
_ASCII = str.maketrans(f"{ZERO}{ONE}{FILL}{LINE}", "01.=")


def channel_picture(
    toy: Toy,
    width: int,
    height: int,
    *,
    falling: Batch | None = None,
    fallen: float = 0.0,
    glyphs: Glyphs = Glyphs.BRAILLE,
) -> Picture:
    """Draw the channel in `width` × `height` cells.

    `falling` is a batch on its way, which has come the share `fallen` of it.
    """
    with_answers = height >= WITH_ANSWERS
    rows = height - FIXED - with_answers
    if rows < 1 or width < 1:
        return []
    cells: Cells = [*_curves(toy, width, rows, glyphs), [("─", "axis")] * width]
    for one, column, lands in _places(toy.batch, width, rows):
        cells[lands][column] = (ONE if one else ZERO, "plain")
    for one, column, lands in _places(falling, width, rows):
        cells[round(fallen * lands)][column] = (ONE if one else ZERO, "plain")
    picture = [
        _legend(toy, width, glyphs),
        *([_answers(toy, width)] if with_answers else []),
        *map(_merged, cells),
        _numbers(width),
        _move(toy, width),
    ]
    if glyphs is not Glyphs.ASCII:
        return picture
    return in_ascii(picture)


def in_ascii(picture: Picture) -> Picture:
    """Return a picture in which a 0, a 1, and what stands for a curve can be told apart in ASCII."""
    return [[(text.translate(_ASCII), role) for text, role in row] for row in picture]


def column_of(value: float, width: int) -> int:
    """Return the column of a value of the channel, that of an end for what is beyond it."""
    place = (value - LOW) / (HIGH - LOW) * (width - 1)
    return round(min(max(place, 0.0), width - 1.0))


def _places(batch: Batch | None, width: int, rows: int) -> Iterator[tuple[bool, int, int]]:
    """Yield whether each value of a batch is of a 1, its column and the row on which it lands.

    Those of one column lie on each other, the first on the axis, which is row `rows`.
    """
    taken: dict[int, int] = {}
    for value, one in zip(batch.values, batch.ones, strict=True) if batch else ():
        column = column_of(value, width)
        yield one, column, max(rows - taken.get(column, 0), 0)
        taken[column] = taken.get(column, 0) + 1


def _curves(toy: Toy, width: int, rows: int, glyphs: Glyphs) -> Cells:
    """Draw both bells, equally high: a middle is a mean, a width a deviation."""
    across, up = DOTS[glyphs]
    line, body = _bell(toy.fresh, width, across, up * rows, sparse=2 * across)
    remembered, _ = _bell(toy.running, width, across, up * rows, thick=min(up, 2))
    own = _any(remembered, across, up)
    on_line = _any(line, across, up)
    bits = np.where(own, _bits(remembered, across, up), _bits(line | body, across, up))
    if glyphs is Glyphs.ASCII:
        text = np.where(own, "r", np.where(on_line, "f", np.where(bits > 0, FILL, " ")))
    else:
        text = CELLS[glyphs][bits]
    role = np.where(own, "running", "fresh")
    cut = column_of(toy.running.mean, width)
    cells = [
        list(zip(texts, roles, strict=True))
        for texts, roles in zip(text.tolist(), role.tolist(), strict=True)
    ]
    for row, taken in zip(cells, own[:, cut].tolist(), strict=True):
        if not taken:
            row[cut] = (CUT, "running")
    return cells


def _bell(
    statistics: Statistics, width: int, across: int, rows: int, *, thick: int = 1, sparse: int = 1
) -> tuple[Dots, Dots]:
    """Return the dots of a bell's line and of the hatching below it, the top row first.

    Mean and deviation are whole cells of `across` dots: what moves by less is not sent again. The line is
    joined, and at least so `thick`; where it would lie on the axis there is none. Of the dots below it one
    in `sparse` is there.
    """
    cell = (HIGH - LOW) / max(width - 1, 1)
    middle = across * round((statistics.mean - LOW) / cell) + (across - 1) / 2
    spread = across * max(round(statistics.deviation / cell), 1)
    row, column = np.arange(rows)[::-1, None], np.arange(across * width)
    height = np.exp(-(((column - middle) / spread) ** 2) / 2)
    top = np.rint(height * rows).astype(np.intp) - 1
    beside = np.minimum(np.append(top[1:], top[-1]), np.append(top[0], top[:-1]))
    low = np.minimum(top + 1 - thick, beside + 1)
    line = (row >= low) & (row <= top)
    return line, (row < top) & ((column + sparse // 2 * row) % sparse == 0)


def _any(dots: Dots, across: int, up: int) -> Dots:
    """Tell of each cell whether it has one of the dots."""
    rows, columns = dots.shape
    return np.asarray(dots.reshape(rows // up, up, columns // across, across).any(axis=(1, 3)))


def _bits(dots: Dots, across: int, up: int) -> npt.NDArray[np.uint8]:
    """Return the pattern of each cell, as `CELLS` counts them: up each column, the left one first."""
    bits = np.zeros((dots.shape[0] // up, dots.shape[1] // across), dtype=np.uint8)
    for column in range(across):
        for row in range(up):
            place = column * up + row
            bits |= dots[up - 1 - row :: up, column::across].astype(np.uint8) << np.uint8(place)
    return bits


def _merged(cells: list[Span]) -> Row:
    """Return a row with neighbours of one role in one."""
    return [
        ("".join(text for text, _ in together), role)
        for role, together in groupby(cells, key=lambda one: one[1])
    ]


def _legend(toy: Toy, width: int, glyphs: Glyphs) -> Row:
    """Say which curve is which, and their means and deviations; each has one half of the row."""
    half = (width - 1) // 2
    bell = "r" if glyphs is Glyphs.ASCII else LINE
    fresh, running = (
        f"mean {number(one.mean, 2)} σ {one.deviation:.2f}" for one in (toy.fresh, toy.running)
    )
    left = (
        f"{FILL} fresh, what the channel gives now: {fresh}",
        f"{FILL} fresh: {fresh}",
    )
    right = (
        f"{bell} running, what BatchNorm remembers: {running}",
        f"{bell} running: {running}",
    )
    return [
        (f" {fitting(left, half - 1):<{half}}", "fresh"),
        (fitting(right, half - 1), "running"),
    ]


def _answers(toy: Toy, width: int) -> Row:
    """Say on which side of the remembered mean validation takes a value for what."""
    left, right = "answers 0 ◂ ", " ▸ answers 1"
    column = column_of(toy.running.mean, width)
    left = left.rjust(column) if column >= len(left) else " " * column
    right = right if column + 1 + len(right) <= width else ""
    return [(f"{left}{CUT}{right}", "running")]


def _numbers(width: int) -> Row:
    """Write the axis's numbers under it, each with its last digit under its place."""
    row = ""
    for value in range(FIRST, LAST + 1, 1 if width >= ROOMY else 2):
        row += str(value).replace("-", "−").rjust(column_of(value, width) + 1 - len(row))
    return [(row, "axis")]


def _move(toy: Toy, width: int) -> Row:
    """Draw the way from the remembered mean to the batch's, and how much of it is gone."""
    if toy.batch is None:
        return []
    mean = toy.batch.statistics.mean
    new = 1 - toy.momentum
    start, end = column_of(toy.before.mean, width), column_of(mean, width)
    gone = round(new * abs(end - start))
    cells: list[Span] = [("╌", "faint")] * abs(end - start)
    cells[:gone] = [("━", "running")] * gone
    way = [*cells, ("▲", "plain")] if end >= start else [("▲", "plain"), *reversed(cells)]
    first, last = min(start, end), max(start, end)
    written = number(mean, 2)
    said = (
        f"the batch's mean {written}: the remembered one goes {share(new)} of the way to it",
        f"the batch's mean {written}: {share(new)} of the way to it",
        f"batch {written}: {share(new)} of the way",
        f"batch {written}",
        "",
    )
    left, right = fitting(said, first - 1), fitting(said, width - last - 2)
    left, right = (left, "") if len(left) > len(right) else ("", right)
    return [
        (f"{left} ".rjust(first) if left else " " * first, "faint"),
        *_merged(way),
        (f" {right}", "faint"),
    ]
