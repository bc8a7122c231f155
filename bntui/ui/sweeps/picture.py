"""A phase diagram as a picture. Pure functions to `canvas.Picture`."""

from collections import defaultdict
from collections.abc import Sequence

from bntui.core.cells import shorten
from bntui.core.estimators import short
from bntui.sweeps.phase import MOMENTUM, Diagram, Scale
from bntui.ui.drawing.canvas import Picture, Row
from bntui.ui.sweeps.layout import WIDEST_LABEL, Layout, line_cells
from bntui.ui.sweeps.tiles import Tiles

Crossed = dict[tuple[int, int], dict[int, list[int]]]
"""Of each tile (column, row) that a line crosses, in which cells of which of its lines."""


def phase_picture(
    diagram: Diagram, layout: Layout, tiles: Tiles, cursor: tuple[int, int]
) -> Picture:
    """Draw the tiles in sight with the labels of both axes, and the theory's line over them.

    `tiles` draws them; `cursor` is the (column, row) of the chosen one.
    """
    crossed = _crossed(diagram, layout)
    picture: Picture = []
    for row in reversed(range(layout.bottom, layout.bottom + layout.rows)):
        seen = diagram.tiles[row][layout.left : layout.left + layout.columns]
        drawn = [
            tiles.special(tile, crossed.get(at, {}), chosen=at == cursor)
            if (at := (column, row)) in crossed or at == cursor
            else tiles.lines(tile)
            for column, tile in enumerate(seen, layout.left)
        ]
        for sub, lines in enumerate(zip(*drawn, strict=True)):
            named = sub == layout.up // 2
            spans = _label(diagram.y, row, layout, chosen=row == cursor[1], named=named)
            for line in lines:
                spans += line
            picture.append(spans)
    return [*picture, x_labels(diagram.x, layout, cursor[0])]


def _crossed(diagram: Diagram, layout: Layout) -> Crossed:
    crossed: Crossed = defaultdict(lambda: defaultdict(list))
    for place, cells in line_cells(diagram.line, diagram.line_over, layout).items():
        above, sub = divmod(place, layout.up)
        row = layout.bottom + layout.rows - 1 - above
        for cell in cells:
            column, within = divmod(cell, layout.across)
            crossed[layout.left + column, row][sub].append(within)
    return dict(crossed)


def _label(y: Scale, row: int, layout: Layout, *, chosen: bool, named: bool) -> Row:
    """Draw what stands before a line of tiles; the axis says whether there are more rows."""
    text = shorten(y.values[row], WIDEST_LABEL) if named else ""
    role = "axis cursor" if chosen and text else "axis"
    room = layout.margin - 2
    axis = "│"
    if named and row == layout.bottom and row > 0:
        axis = "▼"
    elif named and row == layout.bottom + layout.rows - 1 and row < len(y.values) - 1:
        axis = "▲"
    return [(" " * (room - len(text) + 1), ""), (text, role), (axis, "axis")]


def x_labels(x: Scale, layout: Layout, chosen: int) -> Row:
    """Draw the labels below the tiles: the chosen one's, and others where there is room for them."""
    places = range(layout.left, layout.left + layout.columns)
    spans: list[tuple[int, str, str]] = []
    if chosen in places:
        spans.append(_placed(x, chosen, layout, "axis cursor"))
    for column in places:
        start, text, role = _placed(x, column, layout, "axis")
        if all(start + len(text) < other or other + len(one) < start for other, one, _ in spans):
            spans.append((start, text, role))
    end = layout.margin + layout.columns * layout.across
    before = "◂" if layout.left else " "
    more = "▸" if places[-1] < len(x.values) - 1 else ""
    return [(before, "axis"), *_in_place(sorted(spans), 1, end), (more, "axis")]


def _placed(x: Scale, column: int, layout: Layout, role: str) -> tuple[int, str, str]:
    """Return where the label of a column begins: below its middle, and inside of the picture."""
    text = shorten(x.values[column], max(layout.across, WIDEST_LABEL))
    if x.name == MOMENTUM and len(text) >= layout.across:
        text = short(x.values[column])
    first = layout.margin + (column - layout.left) * layout.across
    start = first + (layout.across - len(text)) // 2
    end = layout.margin + layout.columns * layout.across
    return max(1, min(start, end - len(text))), text, role


def _in_place(spans: Sequence[tuple[int, str, str]], at: int, end: int) -> Row:
    row: Row = []
    for start, text, role in spans:
        row += [(" " * (start - at), ""), (text, role)]
        at = start + len(text)
    return [*row, (" " * (end - at), "")]
