"""Text to read, wrapped to the room there is: sentences, and tables whose rows stay whole."""

from collections.abc import Callable

from bntui.core.cells import cell_len, wrapped
from bntui.ui.drawing.canvas import Canvas, Picture

HANGING = 2
"""Cells by which a line that goes on is moved in, where it was moved in already."""


class Prose(Canvas):
    """A text that depends on how wide it may be. Its first line is strong."""

    DEFAULT_CSS = "Prose { height: auto; }"

    def __init__(self, text: Callable[[int], str]) -> None:
        """`text` returns the text for so many cells a line."""
        super().__init__()
        self._text = text

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Return the rows that the text takes."""
        return len(self._lines(width))

    def draw(self, width: int, height: int) -> Picture:
        """Return the lines."""
        first, *rest = self._lines(width)
        return [[(first, "strong")], *([(line, "")] for line in rest)]

    def _lines(self, width: int) -> list[str]:
        return laid_out(self._text(width).splitlines(), width) or [""]


def laid_out(lines: list[str], width: int) -> list[str]:
    """Return lines in at most so many cells: what is longer is wrapped, below its beginning.

    A row of a table, which begins with blanks, keeps its columns where it fits.
    """
    return [one for line in lines for one in _fitted(line, max(8, width))]


def _fitted(line: str, width: int) -> list[str]:
    if cell_len(line) <= width:
        return [line]
    indent = len(line) - len(line.lstrip())
    if not indent:
        return wrapped(line, width)
    first, *rest = wrapped(line, max(8, width - indent - HANGING))
    return [" " * indent + first, *(" " * (indent + HANGING) + one for one in rest)]
