"""Replaces what is not ASCII in all that is sent to a terminal without Unicode."""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from bntui.ui.terminal.glyphs import ascii_cells


class AsciiOnly(LineFilter):
    """Writes in ASCII what Textual puts on the screen itself, such as the … of a title cut short."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with as many cells."""
        return [
            segment
            if segment.text.isascii()
            else Segment(ascii_cells(segment.text), segment.style, segment.control)
            for segment in segments
        ]
