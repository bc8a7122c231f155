"""Panels that are mostly empty.

How empty a panel is: the share of its inside that the largest empty rectangle takes, which is what an
eye sees as a hole. A cell is empty if it shows no character on the ground of its panel; a cell with a
ground of another colour, such as a shaded area, is filled. Words with blanks between them therefore
fill a panel; a list of five lines in a panel of forty does not.
"""

from __future__ import annotations

from collections import Counter

from textual.app import App
from textual.geometry import Region
from textual.widget import Widget

from bntui.ui.drawing.canvas import Canvas
from tools.picture_checks.shown import Cell, Placed, cells, placed

MUST_BE_FULL = (120, 40)
"""Columns and rows from which on a panel has enough to show."""
MOST_EMPTY = 0.4
BAR = 3
"""Rows up to which a canvas is a line of words and no panel."""
_SELECTORS = ".panel, #knobs"


def too_empty(app: App[None]) -> list[str]:
    """Return a sentence for each panel of which more than `MOST_EMPTY` is empty."""
    return [
        f"{one.name}: {share:.0%} of its {one.content.width}×{one.content.height} cells are one hole"
        for one, share in emptiness(app)
        if share > MOST_EMPTY
    ]


def emptiness(app: App[None]) -> list[tuple[Placed, float]]:
    """Return the panels of the screen in front, and how empty each is."""
    shown = cells(app)
    return [(one, largest_hole(inside(shown, one.content))) for one in panels(app)]


def panels(app: App[None]) -> list[Placed]:
    """Return the panels in front that are to be seen whole: those with a frame, and large canvases."""
    marked = set(app.screen.query(_SELECTORS))
    return [
        one
        for one in placed(app)
        if one.widget in marked
        or (
            isinstance(one.widget, Canvas) and one.content.height > BAR and not _inside(one, marked)
        )
        if one.seen == one.region
    ]


def _inside(one: Placed, marked: set[Widget]) -> bool:
    return any(widget in marked for widget in one.widget.ancestors)


def inside(shown: list[list[Cell]], region: Region) -> list[list[bool]]:
    """Return of each cell of a region whether it is empty."""
    rows = [row[region.x : region.right] for row in shown[region.y : region.bottom]]
    grounds = Counter(cell.style.bgcolor for row in rows for cell in row)
    ground = grounds.most_common(1)[0][0] if grounds else None
    return [[cell.blank and cell.style.bgcolor == ground for cell in row] for row in rows]


def largest_hole(empty: list[list[bool]]) -> float:
    """Return the share of cells that the largest rectangle of empty ones takes."""
    width = len(empty[0]) if empty else 0
    if not width:
        return 0.0
    best, above = 0, [0] * width
    for row in empty:
        above = [count + 1 if blank else 0 for count, blank in zip(above, row, strict=True)]
        best = max(best, _largest_under(above))
    return best / (width * len(empty))


def _largest_under(heights: list[int]) -> int:
    """Return the area of the largest rectangle below a row of heights."""
    best = 0
    open_: list[tuple[int, int]] = []  # where a rectangle begins, and its height
    for place, height in enumerate([*heights, 0]):
        start = place
        while open_ and open_[-1][1] >= height:
            start, tall = open_.pop()
            best = max(best, tall * (place - start))
        open_.append((start, height))
    return best
