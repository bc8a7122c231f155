"""An app that writes few bytes to its terminal: the dirty cells, and of each style what changes.

Textual sends each dirty line from its widget's left edge up to the end of the region, and every run
with its whole style. Measured on two live charts at 4 updates a second: 14,500 bytes/s, here 1,200.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from rich.color import Color, ColorSystem
from rich.console import COLOR_SYSTEMS, Console, RenderableType
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen
from textual.strip import Strip


class DiffApp(App[None]):
    """An app that sends the dirty spans of a line and nothing left of them (textual#5625).

    `_display` is Textual's one exit to the terminal. It is not public; should it change, the tests
    of the bytes sent fail while the program goes on working.
    """

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        update: object = renderable
        if isinstance(update, ChopsUpdate):
            update = PiecesUpdate(_changed_pieces(update))
        elif isinstance(update, LayoutUpdate):
            update = PiecesUpdate(_all_pieces(update))
        super()._display(screen, update)  # type: ignore[arg-type]

    def _update_mouse_over(self, screen: Screen[object]) -> None:
        """Have what has changed behind a dialog drawn once.

        Textual calls this when it has drawn a screen. One behind a dialog it then takes for changed
        again, sixty times a second: 42,000 bytes/s under the list of keys.
        """
        if screen in self._background_screens:
            screen._repaint_required = False
        super()._update_mouse_over(screen)


Piece = tuple[int, int, Strip]
"""Column, line and what to write there."""


def _changed_pieces(update: ChopsUpdate) -> Iterator[Piece]:
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            start, stop = max(x, first), min(end, last)
            if strip is None or start >= stop:
                continue
            if len(strip.text) != strip.cell_length:  # a cut would lose half a wide character
                start, stop = x, end
            yield start, y, strip.crop(start - x, stop - x)


def _all_pieces(update: LayoutUpdate) -> Iterator[Piece]:
    for y, strips in enumerate(update.strips, update.region.y):
        yield update.region.x, y, Strip(chain.from_iterable(strips))


class PiecesUpdate(CompositorUpdate):
    """Writes pieces, and of each style only what differs from the one before.

    In order, or style by style where that is shorter: to move the cursor costs 5 to 8 bytes, to change
    the colour 19.
    """

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = pieces

    def render_segments(self, console: Console) -> str:
        """Return what to write to the terminal."""
        colors = COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
        runs = list(self._runs(colors))
        in_order = _written(runs, colors)
        if len(runs) > _MOST_SORTED or any(run.link for run in runs):
            return in_order
        by_style = _written(sorted(runs, key=lambda run: run.pen), colors)
        return min(in_order, by_style, key=len)

    def _runs(self, colors: ColorSystem) -> Iterator["_Run"]:
        for start, y, strip in self._pieces:
            x = start
            for segment in strip:
                text, style, _ = segment
                pen = _pen(style, colors) if style is not None else _RESET
                if not pen[0] and text.isspace():
                    pen = ("", _ANY, pen[2])  # a blank shows only its background
                link = style if style is not None and style.link else None
                yield _Run(x, y, segment.cell_length, text, pen, link)
                x += segment.cell_length


class _Run(NamedTuple):
    """Text of one style, and where it stands."""

    x: int
    y: int
    cells: int
    text: str
    pen: "Pen"
    link: Style | None


def _written(runs: Iterable[_Run], colors: ColorSystem) -> str:
    """Return what writes runs in this order."""
    written: list[str] = []
    pen = _RESET
    line, column = -1, -1
    for x, y, cells, text, wanted, link in runs:
        if y != line:
            written.append(f"\x1b[{y + 1};{x + 1}H")
        elif x != column:
            written.append(f"\x1b[{x + 1}G")
        line, column = y, x + cells
        if link is not None:
            written += [_switch(pen, _RESET), Strip.render_style(link, text, colors)]
            pen = _RESET
            continue
        if wanted[1] == _ANY:
            wanted = ("", pen[1], wanted[2])
        written += [_switch(pen, wanted), text]
        pen = wanted
    written.append(_switch(pen, _RESET))
    return "".join(written)


Pen = tuple[str, str, str]
"""The terminal's codes for attributes, foreground and background."""
_RESET: Pen = ("", "39", "49")
_ANY = ""
"""The foreground of a blank: whatever it is."""
_MOST_SORTED = 1000
"""Runs above which almost all is drawn anew, and the order of the lines is the shorter one."""


@lru_cache(maxsize=4096)
def _pen(style: Style, colors: ColorSystem) -> Pen:
    def codes(color: Color | None, default: str, *, foreground: bool) -> str:
        return ";".join(color.downgrade(colors).get_ansi_codes(foreground)) if color else default

    return (
        Strip.render_ansi(style.without_color, colors),
        codes(style.color, "39", foreground=True),
        codes(style.bgcolor, "49", foreground=False),
    )


def _switch(old: Pen, new: Pen) -> str:
    if old == new:
        return ""
    if new == _RESET:
        return "\x1b[0m"
    codes = [] if old[0] == new[0] else ["0", new[0]]
    base = _RESET if codes else old
    codes += [code for code, before in zip(new[1:], base[1:], strict=True) if code != before]
    return f"\x1b[{';'.join(filter(None, codes))}m"
