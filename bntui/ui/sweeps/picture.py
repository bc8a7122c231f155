"""A phase diagram as a picture. Pure functions to `canvas.Picture`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bntui.core.cells import shorten
from bntui.core.estimators import short
from bntui.sweeps.phase import MOMENTUM, Diagram, Scale, Tile
from bntui.sweeps.words import value_words
from bntui.ui.drawing.canvas import Picture, Row, Span
from bntui.ui.sweeps.layout import WIDEST_LABEL, Layout, line_cells
from bntui.ui.sweeps.shades import Shades
from bntui.ui.terminal.glyphs import Glyphs

HEAT = "heat-"
"""How the roles of shades begin; their level follows."""
SOLID = " " * 20
"""The ramp where colours of the ground are the shades."""
FRAMES = {True: ("[", "]", "+|+", "+|+", "-"), False: ("[", "]", "┏┃┗", "┓┃┛", "━")}
"""What frames the chosen tile; the first where there is only ASCII. A tile of one line has brackets, a
taller one a left and a right side from its top to its bottom, and an edge."""
HATCH = 3
"""Every how many cells there is a line of the hatching."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of one kind of terminal."""

    ramp: str
    """One a shade, from the worst to the best; blanks where the ground has the colour."""
    hatch: str = "╱"
    failed: str = "×"
    line: str = "━"
    plain: bool = False
    """Whether all is to be ASCII."""


def signs_of(ramp: str, glyphs: Glyphs, *, upright: bool = False) -> Signs:
    """Return the characters that suit a terminal, where shades are those of `ramp`, and a line is `upright`."""
    if glyphs is Glyphs.ASCII:
        return Signs(ramp, hatch="/", failed="x", line="~", plain=True)
    return Signs(ramp, line="┃" if upright else "━")


@dataclass(frozen=True, slots=True)
class _Look:
    """What is to be seen of a tile: tiles that look the same are drawn once."""

    level: int
    """−1 where nothing is measured."""
    text: str
    running: bool
    failed: bool
    chosen: bool = False


def phase_picture(
    diagram: Diagram, layout: Layout, shades: Shades, cursor: tuple[int, int], signs: Signs
) -> Picture:
    """Draw the tiles in sight with the labels of both axes, and the theory's line over them.

    `cursor` is the (column, row) of the chosen tile.
    """
    over = line_cells(diagram.line, diagram.line_over, layout)
    picture: Picture = []
    for row in reversed(range(layout.bottom, layout.bottom + layout.rows)):
        looks = _looks(diagram, row, layout, shades, cursor, signs)
        middle = layout.up // 2
        for sub, place in enumerate(layout.places(row)):
            spans: Row = _label(
                diagram.y, row, layout, chosen=row == cursor[1], named=sub == middle
            )
            cells = over.get(place, ())
            for column, look in enumerate(looks):
                first = column * layout.across
                crossed = tuple(
                    cell - first for cell in cells if first <= cell < first + layout.across
                )
                spans += _tile_line(look, sub, layout.across, layout.up, crossed, signs)
            picture.append(spans)
    return [*picture, x_labels(diagram.x, layout, cursor[0])]


def _looks(
    diagram: Diagram,
    row: int,
    layout: Layout,
    shades: Shades,
    cursor: tuple[int, int],
    signs: Signs,
) -> list[_Look]:
    steps, value = len(signs.ramp), diagram.choice.value

    def look(column: int, tile: Tile) -> _Look:
        level = shades.level(tile.median, steps)
        text = value_words(value, tile.median) if level >= 0 else ""
        text = text if len(text) <= layout.across - 2 else ""
        chosen = (column, row) == cursor
        return _Look(level, text, tile.running, tile.failed, chosen)

    seen = diagram.tiles[row][layout.left : layout.left + layout.columns]
    return [look(column, tile) for column, tile in enumerate(seen, layout.left)]


@lru_cache(maxsize=4096)
def _tile_line(
    look: _Look, sub: int, across: int, up: int, crossed: tuple[int, ...], signs: Signs
) -> tuple[Span, ...]:
    """Draw line `sub` of a tile, from its top; the theory's line crosses it at the cells `crossed`."""
    fill = signs.ramp[look.level] if look.level >= 0 else " "
    cells = [fill] * across
    if look.running:
        cells = [signs.hatch if (cell + sub) % HATCH == 0 else fill for cell in range(across)]
    for cell in crossed:
        cells[cell] = signs.line
    if sub == up // 2:
        text = f"{look.text}{signs.failed * look.failed}"
        _write(cells, text and f" {text} ")
    if look.chosen:
        _frame(cells, sub, up, signs)
    role = f"{HEAT}{look.level}" if look.level >= 0 else "bad" if look.failed else "axis"
    role = f"{role} strong" if look.chosen or look.failed else role
    if not crossed or signs.ramp == SOLID:
        return (("".join(cells), f"{role} strong" if crossed else role),)
    return tuple((one, "strong" if one == signs.line else role) for one in cells)


def _write(cells: list[str], text: str) -> None:
    """Write a text in the middle of a tile, without its blanks where there is no room for them."""
    text = text if len(text) <= len(cells) else text.strip()
    first = (len(cells) - len(text)) // 2
    cells[first : first + len(text)] = text


def _frame(cells: list[str], sub: int, up: int, signs: Signs) -> None:
    """Draw the frame of the chosen tile."""
    begin, end, left, right, edge = FRAMES[signs.plain]
    if up > 1:
        side = 0 if sub == 0 else 2 if sub == up - 1 else 1
        begin, end = left[side], right[side]
        if up > 2 and side != 1:
            cells[:] = edge * len(cells)
    cells[0], cells[-1] = begin, end


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
