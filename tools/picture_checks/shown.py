"""What a screen shows: its cells, and the widgets in front with their texts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from rich.cells import cell_len
from rich.style import Style
from textual.app import App
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.visual import Visual, visualize
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from bntui.ui.drawing.canvas import Canvas, Row
from bntui.ui.terminal.glyphs import Glyphs

WIDE, HIGH = 260, 70
"""Cells in which every text has room to be written whole."""


@dataclass(slots=True)
class Cell:
    """One cell of a terminal. The second one of a wide character is empty."""

    text: str
    style: Style

    @property
    def blank(self) -> bool:
        """Whether there is nothing in it but a ground."""
        return self.text.isspace()


def cells(app: App[None]) -> list[list[Cell]]:
    """Return the rows of cells that `app` shows, dialogs over what lies behind them."""
    behind = app._background_screens
    update: Any = app.screen._compositor.render_update(full=True, screen_stack=behind)
    return [list(_cells(strips)) for strips in update.strips]


def _cells(strips: list[Strip]) -> Iterator[Cell]:
    for strip in strips:
        for text, style, control in strip:
            look = style or Style.null()
            for character in "" if control else text:
                yield Cell(character, look)
                if not character.isascii() and _wide(character):
                    yield Cell("", look)


@cache
def _wide(character: str) -> bool:
    return cell_len(character) == 2


def text_of(row: list[Cell]) -> str:
    """Return a row as text, one character a cell."""
    return "".join(cell.text or " " for cell in row)


@dataclass(frozen=True, slots=True)
class Placed:
    """A widget of the screen in front, and where it is."""

    widget: Widget
    region: Region
    clip: Region
    """What its ancestors leave of the screen for it."""

    @property
    def name(self) -> str:
        """What a message calls it."""
        kind, name = type(self.widget).__name__, self.widget.id
        return f"{kind} #{name}" if name else kind

    @property
    def content(self) -> Region:
        """The part of the screen that is inside its frame and padding."""
        return self.region.shrink(self.widget.gutter)

    @property
    def seen(self) -> Region:
        """The part of the screen on which it is to be seen."""
        return self.region.intersection(self.clip)

    @property
    def scrolls(self) -> bool:
        """Whether its reader can scroll through what is in it, or scroll it itself."""
        return _scrolls(self.widget) or self.moves

    @property
    def moves(self) -> bool:
        """Whether its reader can scroll it itself, up and down."""
        return any(map(_scrolls, self.widget.ancestors))


def _scrolls(one: object) -> bool:
    if not isinstance(one, Widget) or isinstance(one, Screen):
        return False
    return one.styles.overflow_y != "hidden" and one.max_scroll_y > 0


def placed(app: App[None]) -> list[Placed]:
    """Return the widgets in front that are to be seen."""
    visible = app.screen._compositor.visible_widgets.items()
    return [Placed(widget, region, clip) for widget, (region, clip) in visible]


@contextmanager
def lines_as_dots(app: App[None]) -> Iterator[None]:
    """Have canvases draw the lines of charts as dots for a while: in ASCII they are letters, but no text."""
    before = getattr(app, "glyphs", Glyphs.BRAILLE)
    app.glyphs = Glyphs.BRAILLE  # type: ignore[attr-defined]
    try:
        yield
    finally:
        app.glyphs = before  # type: ignore[attr-defined]


def lines_of(one: Placed) -> list[str] | None:
    """Return the lines that a widget writes in its own width; None for one that writes none.

    Of a canvas as it draws them: what is too long or too much is still there.
    """
    widget = one.widget
    width, height = one.content.size
    if isinstance(widget, Canvas):
        return [written(row) for row in widget.draw(width, height)]
    if isinstance(widget, Static):
        return _rendered(widget, widget._render(), width)
    if isinstance(widget, OptionList):
        width = widget.scrollable_content_region.width
        width -= widget.get_component_styles("option-list--option").padding.width
        return [line for visual in _options(widget) for line in _rendered(widget, visual, width)]
    return None


def source_of(one: Placed) -> str:
    """Return the text of a widget as it is where there is room for all of it."""
    widget = one.widget
    if isinstance(widget, Canvas):
        drawn = [*widget.draw(WIDE, HIGH), *widget.draw(WIDE, one.content.height)]
        return "\n".join(map(written, drawn))
    if isinstance(widget, Static):
        return "\n".join(_rendered(widget, widget._render(), WIDE))
    if isinstance(widget, OptionList):
        shown = (line for visual in _options(widget) for line in _rendered(widget, visual, WIDE))
        return "\n".join(shown)
    return ""


def has_text(widget: Widget) -> bool:
    """Tell whether a widget is one of those that write."""
    return isinstance(widget, Canvas | Static | OptionList | Input)


def written(row: Row) -> str:
    """Return the text of a canvas's row."""
    return "".join(text for text, _ in row)


def _options(widget: OptionList) -> list[Visual]:
    return [visualize(widget, option.prompt, markup=widget._markup) for option in widget.options]


def _rendered(widget: Widget, visual: Visual, width: int) -> list[str]:
    strips = Visual.to_strips(widget, visual, max(1, width), None, widget.visual_style)
    return [strip.text for strip in strips]
