"""Pages of the help: lines end between words, and a unit stays with its number."""

import pytest

from bntui.core.cells import cell_len
from bntui.core.config import RunConfig
from bntui.ui.drawing.canvas import Picture
from bntui.ui.key_lines import Section, line
from bntui.ui.key_table import SCREENS
from bntui.ui.words import thread
from bntui.ui.words.page import Part, flowed, keys_page, next_word, terms_page, text_page
from bntui.ui.words.term import Shown, Term
from bntui.ui.words.terms import TERMS, alphabetical
from tests.ui.scripted import mid_run

SHOWN = Shown(mid_run(RunConfig(width=0.25)))


def lines(picture: Picture) -> list[str]:
    return ["".join(text for text, _ in row) for row in picture]


def test_lines_end_between_words_and_go_on_under_their_beginning() -> None:
    found = flowed([("one", "strong"), ("two three", "")], 9, first=1)
    assert lines(found) == [" one two", "   three"]
    assert found[0][1] == ("one", "strong")


def test_a_unit_stays_on_the_line_of_its_number() -> None:
    assert lines(flowed([("is 38 %, yes", "")], 6, first=0, then=0)) == ["is", "38 %,", "yes"]
    assert lines(flowed([("gap 0.42 σ", "")], 8, first=0, then=0)) == ["gap", "0.42 σ"]


def test_a_word_longer_than_a_line_is_the_only_one_that_is_broken() -> None:
    assert lines(flowed([("a longest b", "")], 4, first=0, then=0)) == ["a", "long", "est", "b"]


@pytest.mark.parametrize("width", [34, 55, 77, 81, 120])
def test_no_line_of_any_page_is_too_long_or_breaks_a_word(width: int) -> None:
    whole = [
        terms_page([Part("all words", alphabetical())], SHOWN, 10_000, airy=True),
        text_page("t", thread.paragraphs(), 10_000),
        *(keys_page(keys.sections, 10_000) for keys in SCREENS),
    ]
    wrapped = [
        terms_page([Part("all words", alphabetical())], SHOWN, width, airy=True),
        text_page("t", thread.paragraphs(), width),
        *(keys_page(keys.sections, width) for keys in SCREENS),
    ]
    for unbroken, picture in zip(whole, wrapped, strict=True):
        assert all(cell_len(line) <= width for line in lines(picture))
        words = {word for line in lines(unbroken) for word in line.split()}
        found = {word for line in lines(picture) for word in line.split()}
        assert {word for word in found if set(word) != {"─"}} <= words


def test_letters_and_numbers_share_a_line_only_where_both_fit() -> None:
    term = Term("start", "What is left.", "m^t", lambda _: " = 0.99^97 = 38 %")
    narrow, wide = (terms_page([Part("t", [term])], SHOWN, width, airy=False) for width in (22, 40))
    assert lines(wide)[1:] == [" start: What is left.", "   m^t = 0.99^97 = 38 %"]
    assert lines(narrow)[1:] == [" start: What is left.", "   m^t", "   = 0.99^97 = 38 %"]


def test_where_nothing_is_measured_the_letters_say_so() -> None:
    term = Term("lost", "Gone.", "lost = fresh − running", lambda _: "")
    page = lines(terms_page([Part("t", [term])], SHOWN, 70, airy=False))
    assert page[-1] == "   lost = fresh − running · not measured yet"
    page = lines(terms_page([Part("t", [term])], None, 70, airy=False))
    assert page[-1] == "   lost = fresh − running"


def test_what_has_no_formula_begins_with_its_number() -> None:
    term = Term("pace", "Slow.", "", lambda _: " · 5 updates a second")
    assert (
        lines(terms_page([Part("t", [term])], SHOWN, 70, airy=False))[-1] == "   5 updates a second"
    )


def test_a_letter_leads_to_the_next_word_that_begins_with_it() -> None:
    page = terms_page(
        [Part("t", [TERMS["worst"], TERMS["start"], TERMS["what if"]])], None, 200, airy=False
    )
    first, second = (n for n, line in enumerate(lines(page)) if line.startswith(" w"))
    assert next_word(page, "w", 0) == first
    assert next_word(page, "W", first) == second
    assert next_word(page, "w", second) == first
    assert next_word(page, "z", 0) is None


def test_keys_that_are_longer_than_their_column_have_a_line_to_themselves() -> None:
    section = Section("s", (line("home end pgup", "far"), line("x", "near and far away")))
    assert lines(keys_page([section], 24))[1:] == [
        " home end pgup",
        "             far",
        " x           near and",
        "             far away",
    ]


def test_what_there_is_to_read_of_a_part_comes_before_its_terms() -> None:
    part = Part("t", [Term("pace", "Slow.")], ("One two.", "Three."))
    page = lines(terms_page([part], None, 20, airy=False))
    assert page[1:] == [" One two.", "", " Three.", "", " pace: Slow."]
