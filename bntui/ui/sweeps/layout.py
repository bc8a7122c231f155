"""Where the tiles of a diagram lie in so many cells, and which are in sight. Pure."""

import math
from dataclasses import dataclass

LEAST_ACROSS = 2
"""Cells that a tile takes across, at least."""
WIDEST_LABEL = 14
"""Cells of a label beside a row of tiles, at most: as long as "bias-corrected"."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The tiles in sight: `columns` from `left` on, `rows` from `bottom` on, the lowest row last."""

    margin: int
    """Cells left of the tiles: labels, and the axis."""
    across: int
    """Cells of a tile."""
    up: int
    left: int
    columns: int
    bottom: int
    rows: int

    def column_at(self, x: int) -> int | None:
        """Return which column of tiles lies at a cell across; None beside them."""
        column = (x - self.margin) // self.across
        return self.left + column if x >= self.margin and column < self.columns else None

    def row_at(self, y: int) -> int | None:
        """Return which row of tiles lies at a cell below the highest one in sight; None beside them."""
        row = y // self.up
        return self.bottom + self.rows - 1 - row if 0 <= row < self.rows else None


def laid_out(
    shape: tuple[int, int],
    room: tuple[int, int],
    labels: tuple[str, ...],
    cursor: tuple[int, int],
    before: Layout | None = None,
) -> Layout | None:
    """Return where `shape` = (columns, rows) of tiles lie in `room` cells; None where there is none.

    They take all the room, and where it is too little those around the `cursor` are in sight: as few
    others as possible than those `before`.
    """
    margin = 2 + min(max(map(len, labels), default=0), WIDEST_LABEL)
    width, height = room[0] - margin, room[1]
    if min(*shape, width // LEAST_ACROSS, height) < 1:
        return None
    across = max(LEAST_ACROSS, width // shape[0])
    up = max(1, height // shape[1])
    columns, rows = min(shape[0], width // across), min(shape[1], height // up)
    old_left, old_bottom = (before.left, before.bottom) if before else (0, 0)
    left = _first(old_left, cursor[0], columns, shape[0])
    bottom = _first(old_bottom, cursor[1], rows, shape[1])
    return Layout(margin, across, up, left, columns, bottom, rows)


def _first(old: int, cursor: int, shown: int, count: int) -> int:
    """Return the first place in sight: the old one, unless the cursor lies outside then."""
    return max(0, min(max(old, cursor - shown + 1), cursor, count - shown))


def line_cells(line: tuple[float, ...], over: str, layout: Layout) -> dict[int, list[int]]:
    """Return which cells of each line of the picture a curve crosses.

    `line` has for each place of the axis `over` (x or y) a position on the other one, whole numbers in the
    middles of tiles; between the middles the curve is straight. NaN is nowhere.
    """
    found: dict[int, list[int]] = {}
    across, up = layout.across, layout.up
    width, height = layout.columns * across, layout.rows * up
    top = layout.bottom + layout.rows
    if over == "x":
        for cell in range(width):
            place = _between(line, layout.left + (cell + 0.5) / across - 0.5)
            row = -1 if math.isnan(place) else math.floor((top - place - 0.5) * up)
            if 0 <= row < height:
                found.setdefault(row, []).append(cell)
    elif over == "y":
        for row in range(height):
            place = _between(line, top - (row + 0.5) / up - 0.5)
            cell = -1 if math.isnan(place) else math.floor((place + 0.5 - layout.left) * across)
            if 0 <= cell < width:
                found[row] = [cell]
    return found


def _between(line: tuple[float, ...], at: float) -> float:
    """Return a curve's place at a position among columns; beyond the last known middle it goes on level."""
    low = min(max(math.floor(at), 0), len(line) - 1)
    high = min(low + 1, len(line) - 1)
    nearest = low if at - low < 0.5 else high
    share = min(max(at - low, 0.0), 1.0)
    place = line[low] + (line[high] - line[low]) * share if low != high else line[low]
    return line[nearest] if math.isnan(place) else place
