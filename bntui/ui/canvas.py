"""Drawing that sends only the cells that changed: the mechanism under every live widget.

Textual repaints dirty regions but does not compare cells. `Canvas` finds the changed ones and
`frugal.FrugalApp` sends those and no others.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

Run = tuple[str, str]
"""A text and its role: the name of a `canvas--` component class, several with spaces between."""
Row = list[Run]
Picture = list[Row]

ROLES = ("plain", "train", "fresh", "running", "good", "bad", "axis", "faint", "ghost", "strong")

MERGED_GAP = 2
"""Unchanged cells worth sending again: a cursor move costs 5 bytes, a braille cell 3."""

# Printable ASCII, Latin-1, lines, blocks, geometric shapes and braille: one cell each, everywhere.
_ODD = re.compile("[^ -~\xa1-\xac\xae-\xff\u2500-\u25fc\u2800-\u28ff]")


@lru_cache
def _narrow(character: str) -> str:
    return character if character.isprintable() and cell_len(character) == 1 else "?"


def fitted(row: Iterable[Run], width: int) -> Row:
    """Return `row` in exactly `width` cells, one character a cell, equal neighbours merged.

    Control characters and characters that are not one cell wide become "?".
    """
    left = width
    runs: Row = []
    for text, role in chain(row, [(" " * width, "")]):
        text = _ODD.sub(lambda match: _narrow(match[0]), text[:left])
        left -= len(text)
        if runs and runs[-1][1] == role:
            runs[-1] = (runs[-1][0] + text, role)
        elif text:
            runs.append((text, role))
    return runs


def changed_spans(old: Row, new: Row) -> list[tuple[int, int]]:
    """Return the (start, end) columns in which two rows of equal width differ."""
    spans: list[tuple[int, int]] = []
    if old == new:
        return spans
    for column, (before, after) in enumerate(zip(_cells(old), _cells(new), strict=True)):
        if before == after:
            continue
        if spans and column - spans[-1][1] <= MERGED_GAP:
            spans[-1] = (spans[-1][0], column + 1)
        else:
            spans.append((column, column + 1))
    return spans


def _cells(row: Row) -> Iterator[Run]:
    return ((character, role) for text, role in row for character in text)


class Canvas(Widget):
    """A widget drawn as a picture. After a change of state, call `repaint`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {f"canvas--{role}" for role in ROLES}
    # Okabe and Ito's palette for colour-blind readers; darker on a light ground.
    DEFAULT_CSS = """
    Canvas {
        & > .canvas--train { color: #b4b4b4; }
        & > .canvas--fresh { color: #56b4e9; }
        & > .canvas--running { color: #e69f00; }
        & > .canvas--good { color: #009e73; }
        & > .canvas--bad { color: #d55e00; }
        & > .canvas--axis { color: #8a8a8a; }
        & > .canvas--faint { color: #8a8a8a; }
        & > .canvas--ghost { text-style: dim; }
        & > .canvas--strong { text-style: bold; }
        &:light > .canvas--train { color: #555555; }
        &:light > .canvas--fresh { color: #0072b2; }
        &:light > .canvas--running { color: #8f6000; }
        &:light > .canvas--good { color: #00704f; }
        &:light > .canvas--bad { color: #b34700; }
        &:light > .canvas--axis { color: #6a6a6a; }
        &:light > .canvas--faint { color: #6a6a6a; }
    }
    """

    _picture: Picture = []
    _drawn: Size | None = None
    """The size `_picture` was drawn for; None if there is no valid picture."""

    def draw(self, width: int, height: int) -> Picture:
        """Return the picture of the widget's state in `width` × `height` cells.

        Shorter rows and missing rows are blank; whatever is too much is cut off.
        """
        raise NotImplementedError

    def repaint(self) -> None:
        """Draw again and have the changed cells sent to the terminal."""
        if not self.is_on_screen:
            # Textual keeps the rendered lines of a hidden widget: throw them away, once.
            if self._drawn is not None:
                self._drawn = None
                self.refresh()
            return
        old, comparable = self._picture, self._drawn == self.size
        self._redraw()
        if not comparable:
            self.refresh()
            return
        regions = [
            Region(start, y, end - start, 1)
            for y, (before, after) in enumerate(zip(old, self._picture, strict=True))
            for start, end in changed_spans(before, after)
        ]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """Return line `y` of the picture; drawn here first when the size is new."""
        if self._drawn != self.size:
            self._redraw()
        if y >= len(self._picture):
            return Strip.blank(self.size.width, self.role_style(""))
        segments = [Segment(text, self.role_style(role)) for text, role in self._picture[y]]
        return Strip(segments, self.size.width)

    def role_style(self, role: str) -> Style:
        """Return what a role looks like under the current theme; later names win."""
        first, *others = (f"canvas--{name}" for name in role.split() or ["plain"])
        style = self.get_component_rich_style(first)
        for name in others:
            style += self.get_component_rich_style(name, partial=True)
        return style

    def _redraw(self) -> None:
        width, height = self.size
        rows = self.draw(width, height)[:height] if width and height else []
        rows += [[] for _ in range(height - len(rows))]
        self._picture = [fitted(row, width) for row in rows]
        self._drawn = self.size
