from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from bntui.ui.terminal.ascii_filter import AsciiOnly


def test_a_line_keeps_its_cells() -> None:
    before = [Segment("+- bran… "), Segment("漢字"), Segment("plain")]
    after = AsciiOnly().apply(before, Color(0, 0, 0))
    assert [one.text for one in after] == ["+- bran. ", "????", "plain"]
    assert [cell_len(one.text) for one in after] == [cell_len(one.text) for one in before]
