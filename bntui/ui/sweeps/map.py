"""The phase diagram on the screen: one tile a place of both axes, of which one is chosen."""

from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.message import Message

from bntui.core.cells import cell_len
from bntui.sweeps.phase import START_LEFT, Diagram, Tile
from bntui.ui import sweep_keys
from bntui.ui.drawing.canvas import Picture, Row
from bntui.ui.drawing.ramp import lightness
from bntui.ui.sweeps.layout import Layout, laid_out
from bntui.ui.sweeps.picture import phase_picture
from bntui.ui.sweeps.shades import Shades, shades_of
from bntui.ui.sweeps.tiles import GROUND, UNLEARNED, Signs, Tiles, signs_of
from bntui.ui.widgets.ramp_canvas import RampCanvas, shade_of

BESIDE_TITLE = 6
"""Cells of a border that its title leaves alone."""
LIGHT = 0.564
"""OKLab's lightness of a ground from which on what stands on it is black."""


class PhaseMap(RampCanvas):
    """A diagram that scrolls with its chosen tile."""

    BORDER_TITLE = "phase diagram"
    BINDINGS: ClassVar[list[BindingType]] = [*sweep_keys.PHASE_MAP]
    COMPONENT_CLASSES = {"canvas--cursor"}
    DEFAULT_CSS = "PhaseMap > .canvas--cursor { text-style: reverse; }"

    @dataclass
    class Moved(Message):
        """Another tile is the chosen one."""

    @dataclass
    class Opened(Message):
        """The user wants to see the runs behind the chosen tile."""

    solid = GROUND
    cursor = (0, 0)
    """The column and the row of the chosen tile."""

    _diagram: Diagram | None = None
    _shades: Shades | None = None
    _layout: Layout | None = None
    _tiles: Tiles | None = None
    """What has drawn the tiles last."""

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._styles: dict[str, Style] = {}
        """What roles look like under the theme of now: there are thousands of tiles."""
        self._few = False
        """Whether that is with sixteen colours."""

    def show(self, diagram: Diagram, cursor: tuple[int, int]) -> None:
        """Show a diagram, and choose one of its tiles; the nearest where it has none there."""
        self._diagram, self._shades = diagram, shades_of(diagram)
        self.cursor = _inside(cursor, diagram)
        self._say()
        self.repaint()

    @property
    def chosen(self) -> Tile | None:
        """The chosen tile."""
        column, row = self.cursor
        return self._diagram.tiles[row][column] if self._diagram else None

    def take_colours(self) -> None:
        """Show title and tiles anew."""
        self._few = self.has_class("-sixteen")
        self._styles.clear()
        self._say()
        self.refresh()

    def on_resize(self) -> None:
        """Say as much in the title as it has room for."""
        self._say()

    def action_move(self, across: int, up: int) -> None:
        """Choose the tile so many columns to the right, and so many rows up."""
        if self._diagram is None:
            return
        column, row = self.cursor
        self._choose(_inside((column + across, row + up), self._diagram))

    def action_list_runs(self) -> None:
        """Ask for the runs behind the chosen tile."""
        self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        """Choose the tile under the pointer; open the chosen one."""
        offset, layout = event.get_content_offset(self), self._layout
        if offset is None or layout is None:
            return
        column, row = layout.column_at(offset.x), layout.row_at(offset.y - 1)
        if column is None or row is None:
            return
        if (column, row) == self.cursor:
            self.action_list_runs()
        else:
            self._choose((column, row))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Choose the tile below."""
        event.stop()
        self.action_move(0, -1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Choose the tile above."""
        event.stop()
        self.action_move(0, 1)

    def draw(self, width: int, height: int) -> Picture:
        """Return what the axes are and what the signs mean, the tiles, and the labels below them."""
        diagram, shades = self._diagram, self._shades
        if diagram is None or shades is None:
            return []
        if self._few != self.has_class("-sixteen"):
            self.take_colours()
        shape = (len(diagram.x.values), len(diagram.y.values))
        room = (width - 1, height - 2)
        layout = laid_out(shape, room, diagram.y.values, self.cursor, self._layout)
        self._layout = layout
        if layout is None:
            return []
        signs = signs_of(self.ramp, self.glyphs, upright=diagram.line_over == "y")
        tiles = Tiles(shades, signs, layout.across, layout.up)
        if self._tiles is None or self._tiles.key != tiles.key:
            self._tiles = tiles
        picture = phase_picture(diagram, layout, self._tiles, self.cursor)
        return [self._heading(diagram, signs, width), *picture]

    def role_style(self, role: str) -> Style:
        """Return what a role looks like; a tile has its shade's colour as its ground, or in its characters."""
        if (known := self._styles.get(role)) is not None:
            return known
        rest, level = shade_of(role)
        style = super().role_style(rest)
        if level is not None and not self.app.no_color:
            colour = self.colour(level)
            if self.ramp == GROUND:
                ink = "#000000" if lightness(colour) > LIGHT else "#ffffff"
                style += Style(color=ink, bgcolor=colour)
            else:
                style += Style(color=colour)
        self._styles[role] = style
        return style

    def _heading(self, diagram: Diagram, signs: Signs, width: int) -> Row:
        """Return the line above the tiles: what the axes are, and what line and signs mean."""
        names = [("↑ ", diagram.y.label), ("→ ", diagram.x.label)]
        row: Row = [(f" {' · '.join(a + label for a, label in names if label)}", "faint")]
        left = width - 1 - cell_len(row[0][0])
        unlearned = any(tile.unlearned for tiles in diagram.tiles for tile in tiles)
        share = f"{START_LEFT:.0%}".replace("%", " %")
        for sign, role, texts in (
            (signs.line * 2, "strong", (f"{share} of the start values left", f"{share} left")),
            (UNLEARNED, "axis", ("too little learned",)),
            (signs.hatch * 2, "axis", ("running",)),
            (signs.failed, "bad strong", ("failed",)),
        ):
            if sign.startswith(signs.line) and not diagram.line:
                continue
            if sign == UNLEARNED and not unlearned:
                continue
            for text in texts:
                if len(sign) + len(text) + 4 <= left:
                    row += [("   ", ""), (sign, role), (f" {text}", "faint")]
                    left -= len(sign) + len(text) + 4
                    break
        return row

    def _choose(self, tile: tuple[int, int]) -> None:
        if tile != self.cursor:
            self.cursor = tile
            self.repaint()
            self.post_message(self.Moved())

    def _say(self) -> None:
        """Write the title, with the ramp in the map's own colours."""
        shades, diagram = self._shades, self._diagram
        if shades is None or diagram is None:
            return
        cells = self.legend()
        (worst, best), value = shades.ends, str(diagram.choice.value)
        room = self.size.width - BESIDE_TITLE - len(cells) - len(f" · {worst}  {best}")
        titles = [f"{value} over {diagram.x.label} and {diagram.y.label}", value]
        if not (diagram.x.label and diagram.y.label):
            titles = titles[1:]
        title = next((one for one in titles if len(one) <= room), titles[-1])
        self.retitle(f"{title} · {worst} ", *cells, f" {best}")


def _inside(tile: tuple[int, int], diagram: Diagram) -> tuple[int, int]:
    """Return the tile of a diagram that is nearest to a column and a row."""
    columns, rows = len(diagram.x.values), len(diagram.y.values)
    return min(max(tile[0], 0), columns - 1), min(max(tile[1], 0), rows - 1)
