"""Drawing that sends only the cells that changed: the mechanism under every live widget.

Textual repaints dirty regions but does not compare cells. `Canvas` finds the changed ones and
`diff_output.DiffApp` sends those and no others.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from bntui.core.cells import FILLER, drawn
from bntui.ui.terminal.glyphs import Glyphs, ascii_cells, ascii_only

Span = tuple[str, str]
"""A text and its role: the name of a `canvas--` component class, several with spaces between."""
Row = list[Span]
Picture = list[Row]

ROLES = (
    *("plain", "train", "fresh", "running", "scrub", "good", "bad", "axis", "faint", "shade"),
    *("ghost", "strong"),
)

MERGED_GAP = 2
"""Unchanged cells worth sending again: a cursor move costs 5 bytes, a braille cell 3."""

# Printable ASCII, Latin-1, lines, blocks, geometric shapes and braille: one cell each, everywhere.
_ODD = re.compile("[^ -~\xa1-\xac\xae-\xff\u2500-\u25fc\u2800-\u28ff]")


def fitted(row: Iterable[Span], width: int, *, plain: bool = False) -> Row:
    """Return `row` in exactly `width` cells, one character a cell, equal neighbours merged.

    Control characters become "?", and a wide character has a filler behind it. All that a canvas
    shows passes through here: `plain` makes it ASCII.
    """
    left = width
    runs: Row = []
    for text, role in chain(row, [(" " * width, "")]):
        text = ascii_cells(text[:left]) if plain else text[:left]
        text = _ODD.sub(lambda match: drawn(match[0]), text)
        if len(text) > left:  # half a wide character is none
            text = text[:left] if text[left] != FILLER else f"{text[: left - 1]} "
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
        # The second half of a wide character goes with the first.
        if before == after and not (after[0] == FILLER and spans and spans[-1][1] == column):
            continue
        if spans and column - spans[-1][1] <= MERGED_GAP:
            spans[-1] = (spans[-1][0], column + 1)
        else:
            spans.append((column, column + 1))
    return spans


def _cells(row: Row) -> Iterator[Span]:
    return ((character, role) for text, role in row for character in text)


class Canvas(Widget):
    """A widget drawn as a picture. After a change of state, call `repaint`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {f"canvas--{role}" for role in ROLES}
    # Okabe and Ito's palette for colour-blind readers; darker on a light ground. Sixteen colours
    # leave too little of it: there the roles and their ghosts get those that stay apart. Without
    # colour (greys, or none at all) they differ by weight.
    DEFAULT_CSS = """
    Canvas {
        & > .canvas--train { color: #b4b4b4; }
        & > .canvas--fresh { color: #56b4e9; }
        & > .canvas--running { color: #e69f00; }
        & > .canvas--scrub { color: #e08cc0; }
        & > .canvas--good { color: #009e73; }
        & > .canvas--bad { color: #d55e00; }
        & > .canvas--axis { color: #8a8a8a; }
        & > .canvas--faint { color: #8a8a8a; }
        & > .canvas--shade { color: #6b4c08; }
        & > .canvas--ghost { text-style: dim; }
        & > .canvas--strong { text-style: bold; }
        &:light > .canvas--train { color: #555555; }
        &:light > .canvas--fresh { color: #0072b2; }
        &:light > .canvas--running { color: #8f6000; }
        &:light > .canvas--scrub { color: #a0307a; }
        &:light > .canvas--good { color: #00704f; }
        &:light > .canvas--bad { color: #b34700; }
        &:light > .canvas--axis { color: #6a6a6a; }
        &:light > .canvas--faint { color: #6a6a6a; }
        &:light > .canvas--shade { color: #d9c08a; }
        &.-sixteen > .canvas--train { color: #e0e0e0; }
        &.-sixteen > .canvas--fresh { color: #55ffff; }
        &.-sixteen > .canvas--running { color: #ffff55; }
        &.-sixteen > .canvas--scrub { color: #ff55ff; }
        &.-sixteen > .canvas--good { color: #55ff55; }
        &.-sixteen > .canvas--bad { color: #ff5555; }
        &.-sixteen > .canvas--shade { color: #aa5500; }
        &.-sixteen:light > .canvas--train { color: #555555; }
        &.-sixteen:light > .canvas--fresh { color: #0000aa; }
        &.-sixteen:light > .canvas--running { color: #aa5500; }
        &.-sixteen:light > .canvas--scrub { color: #aa00aa; }
        &.-sixteen:light > .canvas--good { color: #00aa00; }
        &.-sixteen:light > .canvas--bad { color: #aa0000; }
        &.-sixteen:light > .canvas--shade { color: #aaaaaa; }
        &:nocolor > .canvas--train { color: $foreground; text-style: dim; }
        &:nocolor > .canvas--fresh { color: $foreground; }
        &:nocolor > .canvas--running { color: $foreground; text-style: bold; }
        &:nocolor > .canvas--scrub { color: $foreground; text-style: italic; }
        &:nocolor > .canvas--good { color: $foreground; }
        &:nocolor > .canvas--bad { color: $foreground; text-style: bold reverse; }
        &:nocolor > .canvas--shade { color: #707070; text-style: dim; }
        &:nocolor > .canvas--ghost { color: #a0a0a0; text-style: dim; }
        &:nocolor:light > .canvas--shade { color: #909090; text-style: dim; }
        &:nocolor:light > .canvas--ghost { color: #606060; text-style: dim; }
    }
    """

    _picture: Picture = []
    drawn: Size | None = None
    """The size `_picture` was drawn for; None if there is no valid picture."""
    _titled: tuple[Content, Row] | None = None
    """The title that `retitle` has written last, and its texts with their colours."""

    @property
    def glyphs(self) -> Glyphs:
        """What the terminal can show: the app says so, for all."""
        glyphs: Glyphs = getattr(self.app, "glyphs", Glyphs.BRAILLE)
        return glyphs

    def draw(self, width: int, height: int) -> Picture:
        """Return the picture of the widget's state in `width` × `height` cells.

        Shorter rows and missing rows are blank; whatever is too much is cut off.
        """
        raise NotImplementedError

    def repaint(self) -> None:
        """Draw again and have the changed cells sent to the terminal."""
        if not self.is_on_screen:
            # Textual keeps the rendered lines of a hidden widget: throw them away, once.
            if self.drawn is not None:
                self.drawn = None
                self.refresh()
            return
        old, comparable = self._picture, self.drawn == self.size
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

    def on_mount(self) -> None:
        """Suit the terminal."""
        self.set_class(getattr(self.app, "sixteen", False), "-sixteen")
        if self.glyphs is Glyphs.ASCII:
            self.border_title = ascii_only(self.border_title or "") or None
            self.border_subtitle = ascii_only(self.border_subtitle or "") or None

    def retitle(self, *parts: str | tuple[str, str]) -> None:
        """Write another title on the border, and have only what changed of it sent.

        Its parts are texts, or texts with a colour. Textual's own `border_title` repaints the whole
        widget. `_border_title` is not public; should it change, a test of the bytes sent fails.
        """
        spans = [(part, "") if isinstance(part, str) else part for part in parts]
        if self.glyphs is Glyphs.ASCII:
            spans = [(ascii_only(text), colour) for text, colour in spans]
        new = Content.assemble(*spans)
        old: Row = [(self._border_title.plain if self._border_title else "", "")]
        if self._titled and self._titled[0] is self._border_title:
            old = self._titled[1]
        if self._border_title and self._border_title.is_same(new):
            return
        self._border_title, self._titled = new, (new, spans)
        if self.gutter.top:
            sizes = [sum(len(text) for text, _ in row) for row in (old, spans)]
            width = max(sizes) + 2
            before, after = (
                [*row, (" ".ljust(width - size, "─"), "")]
                for row, size in zip((old, spans), sizes, strict=True)
            )
            corner = self.styles.border_left[0] not in {"", "none"}  # and a blank behind the line
            title = (3 if corner else 1) - self.gutter.left
            for start, end in changed_spans(before, after):
                self.refresh(Region(title + start, -1, end - start, 1))

    def render_line(self, y: int) -> Strip:
        """Return line `y` of the picture; drawn here first when the size is new."""
        if self.drawn != self.size:
            self._redraw()
        if y >= len(self._picture):
            return Strip.blank(self.size.width, self.role_style(""))
        segments = [
            Segment(text.replace(FILLER, ""), self.role_style(role))
            for text, role in self._picture[y]
        ]
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
        plain = self.glyphs is Glyphs.ASCII
        self._picture = [fitted(row, width, plain=plain) for row in rows]
        self.drawn = self.size
