"""The last word on what a terminal without Unicode is sent."""

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from bntui.ui.glyphs import ascii_only


class AsciiOnly(LineFilter):
    """Writes in ASCII what Textual puts on the screen itself, such as the … of a title cut short."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with as many cells."""
        return [
            segment
            if segment.text.isascii()
            else Segment(
                "".join(ascii_only(one) * cell_len(one) for one in segment.text),
                segment.style,
                segment.control,
            )
            for segment in segments
        ]
