"""Cells as SVG: every text and ground where it belongs, in few bytes; a moving picture moves."""

import re
import xml.etree.ElementTree as ET

import pytest
from rich.style import Style

from tools.gallery.svg import BASELINE, HIGH, WIDE, Rows, as_text, ink, moving, still
from tools.picture_checks.shown import Cell

SVG = "{http://www.w3.org/2000/svg}"
PLAIN = Style(color="#ffffff", bgcolor="#000000")
BOLD = Style(color="#ff0000", bgcolor="#000000", bold=True)
ON_BLUE = Style(color="#ffffff", bgcolor="#0000ff")


def row(*parts: tuple[str, Style]) -> list[Cell]:
    return [Cell(character, style) for text, style in parts for character in text]


def texts(svg: str) -> list[tuple[str, int, int]]:
    """Return each text with its column and row."""
    found = ET.fromstring(svg).iter(f"{SVG}text")
    return [
        (
            text.text or "",
            int(text.get("x", "0")) // WIDE,
            (int(text.get("y", "0")) - BASELINE) // HIGH,
        )
        for text in found
    ]


def test_every_text_stands_in_its_cells() -> None:
    rows = [row(("a word", PLAIN), ("    ", PLAIN), ("right", PLAIN)), row((" <b> & ", BOLD))]
    assert texts(still(rows)) == [("a word", 0, 0), ("right", 10, 0), ("<b> &", 1, 1)]


def test_runs_are_stretched_to_their_cells_so_that_any_font_will_do() -> None:
    svg = still([row(("words", PLAIN), ("!", BOLD))])
    assert re.findall(r'textLength="(\d+)"', svg) == [str(5 * WIDE)]


def test_grounds_of_several_rows_are_one_rectangle() -> None:
    rows = [row(("ab", PLAIN), ("cd", ON_BLUE))] * 3 + [row(("abcd", PLAIN))]
    grounds = [r for r in ET.fromstring(still(rows)).iter(f"{SVG}rect") if r.get("class")]
    (blue,) = grounds
    assert (blue.get("x"), blue.get("width"), blue.get("height")) == (
        str(2 * WIDE),
        str(2 * WIDE),
        str(3 * HIGH),
    )


def test_a_wide_character_takes_two_cells() -> None:
    cells = [Cell("数", PLAIN), Cell("", PLAIN), *row(("x", PLAIN))]
    svg = still([cells])
    assert texts(svg) == [("数x", 0, 0)]
    assert f'textLength="{3 * WIDE}"' in svg


@pytest.mark.parametrize(
    ("color", "sixteen"),
    [("#e69f00", "#aa5500"), ("#56b4e9", "#55ffff"), ("#000000", "#000000")],
)
def test_sixteen_colours_are_those_of_the_terminal(color: str, sixteen: str) -> None:
    style = Style(color=color, bgcolor="#121212")
    assert ink(style, sixteen=False).letter == color
    assert ink(style, sixteen=True).letter in {sixteen, "#aaaaaa", "#ffff55"}


def test_reverse_and_dim_are_drawn() -> None:
    assert ink(PLAIN + Style(reverse=True), sixteen=False).ground == "#ffffff"
    assert ink(PLAIN + Style(dim=True), sixteen=False).letter == "#999999"


def test_text_has_no_blanks_at_the_ends_of_rows() -> None:
    assert as_text([row((" a ", PLAIN)), row(("   ", PLAIN))]) == " a\n\n"


def frames() -> list[tuple[Rows, float]]:
    same = row(("the same", PLAIN))
    return [
        ([same, row(("first   ", PLAIN))], 1.0),
        ([same, row(("second  ", PLAIN))], 1.0),
        ([same, row(("third   ", PLAIN))], 2.0),
    ]


def test_a_moving_picture_has_each_row_once_for_each_of_its_contents() -> None:
    assert [text for text, _, _ in texts(moving(frames()))] == [
        "first",
        "the same",
        "second",
        "third",
    ] or sorted(text for text, _, _ in texts(moving(frames()))) == [
        "first",
        "second",
        "the same",
        "third",
    ]


def test_a_row_is_to_be_seen_for_as_long_as_it_stands() -> None:
    svg = moving(frames())
    rules = dict(re.findall(r"@keyframes (k\d+)\{(.*?\})\}", svg))
    assert sorted(rules.values()) == sorted(
        [
            "0.00%{visibility:visible}25.00%{visibility:hidden}",
            "0.00%{visibility:hidden}25.00%{visibility:visible}50.00%{visibility:hidden}",
            "0.00%{visibility:hidden}50.00%{visibility:visible}",
        ]
    )
    assert svg.count("4s step-end infinite") == 3


def test_what_never_changes_does_not_move() -> None:
    svg = moving(frames())
    moved = "".join(re.findall(r'<g id="k\d+">.*?</g>', svg, re.DOTALL))
    assert "the same" in svg
    assert "the same" not in moved
