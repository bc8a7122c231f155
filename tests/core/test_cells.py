"""Text measured in cells, of which 数 takes two."""

import pytest

from bntui.core.cells import cell_len, cut, padded, pieces, shorten, wrapped
from bntui.ui.drawing.canvas import fitted


@pytest.mark.parametrize(
    ("text", "cells", "short"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("数字", 4, "数字"),
        ("数字类", 5, "数字…"),
        ("数字类", 4, "数…"),  # half a character is none
        ("数字", 1, "…"),
    ],
)
def test_what_is_too_long_is_shortened(text: str, cells: int, short: str) -> None:
    assert shorten(text, cells) == short


def test_blanks_fill_up_to_the_width() -> None:
    assert padded("数", 4) == "数  "
    assert padded("数", 4, right=True) == "  数"
    assert padded("abc", 2) == "abc"


def test_lines_break_at_blanks_and_words_only_where_they_must() -> None:
    assert wrapped("it says 数字 to 90%", 9) == ["it says", "数字 to", "90%"]
    assert wrapped("数字数字数字", 5) == ["数字", "数字", "数字"]
    assert wrapped("", 5) == []


@pytest.mark.parametrize(
    "text", ["off by 0.44 σ, and", "loses 12 % of it", "+0.6 ±0.02, or", "in 20\xa0updates or so"]
)
def test_no_line_is_broken_between_a_number_and_its_unit(text: str) -> None:
    for room in range(11, 30):
        lines = wrapped(text, room)
        assert " ".join(lines) == text.replace("\xa0", " ")
        assert not any(line[-1].isdigit() for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "数字",
        "e\u0301",
        "👩‍👩‍👧",
        "\u200b",
        "\u202eabc",
        "\x9b31m",
        "a\tb",
        "ﷺ",
        "１２",
        "×√─⣿",
        "0.44\xa0σ",
        "",
    ],
)
def test_a_text_takes_the_cells_that_a_canvas_draws_it_in(text: str) -> None:
    (shown,) = fitted([(text, "")], 40)
    assert cell_len(text) == len(shown[0].rstrip(" "))
    for room in range(5):
        assert cell_len(cut(text, room)) <= room
    assert "".join(pieces(text, 2)) == text
