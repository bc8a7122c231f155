"""Text to read: sentences are wrapped, rows of a table stay whole where they fit."""

import pytest
from textual.app import App, ComposeResult

from bntui.ui.widgets.prose import Prose, laid_out

TABLE = ["A sentence that is wrapped where it must be:", "  conv1   harms   -0.84", "", "  b"]


def test_what_fits_stays_as_it_is() -> None:
    assert laid_out(TABLE, 44) == TABLE


def test_sentences_are_wrapped_and_rows_go_on_below_their_beginning() -> None:
    assert laid_out(TABLE, 20) == [
        "A sentence that is",
        "wrapped where it",
        "must be:",
        "  conv1 harms",
        "    -0.84",
        "",
        "  b",
    ]


@pytest.mark.parametrize("width", range(12, 60, 5))
def test_no_line_is_longer_than_the_room(width: int) -> None:
    assert all(len(line) <= width for line in laid_out(TABLE, width))


def test_a_figure_stays_with_its_unit() -> None:
    assert laid_out(["it is off by 0.44 σ here"], 17) == ["it is off by", "0.44 σ here"]


async def test_its_height_follows_its_width() -> None:
    class Page(App[None]):
        def compose(self) -> ComposeResult:
            yield Prose(lambda width: f"{width} cells\n" + "word " * 20)

    page = Page()
    async with page.run_test(size=(40, 20)) as pilot:
        prose = page.query_one(Prose)
        assert (prose.size.height, prose.draw(40, 9)[0]) == (4, [("40 cells", "strong")])
        await pilot.resize_terminal(20, 20)
        await pilot.pause()
        assert (prose.size.height, prose.draw(20, 9)[0]) == (6, [("20 cells", "strong")])
