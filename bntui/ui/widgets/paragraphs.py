"""A few sentences, wrapped to the room there is."""

from collections.abc import Iterable

from bntui.core.cells import wrapped
from bntui.ui.drawing.canvas import Canvas, Picture

WIDEST_LINE = 72
"""Characters of a line that is still read with ease."""


class Paragraphs(Canvas):
    """Text in paragraphs, each in a role of its own."""

    def __init__(self, title: str, *, id: str, classes: str) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.border_title = title
        self._paragraphs: tuple[tuple[str, str], ...] = ()

    def show(self, paragraphs: Iterable[tuple[str, str]]) -> None:
        """Show texts and their roles."""
        before, self._paragraphs = self._paragraphs, tuple(paragraphs)
        if self.styles.is_auto_height and before != self._paragraphs:
            self.refresh(layout=True)
        self.repaint()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Return the rows that the text takes."""
        return len(self._lines(width))

    def draw(self, width: int, height: int) -> Picture:
        """Return the lines; an empty text is an empty line. Where not all fit, empty ones go first."""
        lines = self._lines(width)
        if len(lines) > height:
            lines = [line for line in lines if line[0][0].strip()]
        if len(lines) > height > 0:
            lines[height - 1 :] = [[(" …", "faint")]]
        return lines

    def _lines(self, width: int) -> Picture:
        return [
            [(f" {line}", role)]
            for text, role in self._paragraphs
            for line in wrapped(text, max(8, min(width - 2, WIDEST_LINE))) or [""]
        ]
