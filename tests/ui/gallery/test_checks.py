"""The checks of pictures find what is wrong, on widgets that are wrong on purpose, and nothing else."""

from collections.abc import Callable, Iterable

import pytest
from textual.app import App, ComposeResult
from textual.containers import Container, VerticalScroll
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Label, OptionList, Static

from bntui.ui.drawing.canvas import Canvas, Picture, Row
from bntui.ui.terminal.glyphs import Glyphs
from tools.picture_checks import faults
from tools.picture_checks.cut import cut_texts
from tools.picture_checks.empty import emptiness, largest_hole, too_empty
from tools.picture_checks.overlap import overlaps

FULL = (120, 40)
SMALL = (40, 8)


class Drawn(Canvas):
    """A canvas with rows that depend on its room."""

    def __init__(self, rows: Callable[[int, int], Picture], classes: str = "") -> None:
        super().__init__(classes=classes)
        self._rows = rows

    def draw(self, width: int, height: int) -> Picture:
        return self._rows(width, height)


class Page(App[None]):
    """A screen of given widgets."""

    CSS = """
    .panel { border: round white; }
    #over { layer: above; offset: 0 0; height: 1; }
    Screen { layers: default above; }
    """

    def __init__(self, *shown: Widget, css: str = "") -> None:
        super().__init__()
        self._shown = shown
        self._css = css

    def compose(self) -> ComposeResult:
        yield from self._shown

    def on_mount(self) -> None:
        for widget in self._shown:
            widget.styles.height = widget.styles.height or "1fr"
        if self._css:
            self.stylesheet.add_source(self._css)
            self.stylesheet.parse()
            self.refresh_css()


def rows(*texts: str) -> Callable[[int, int], Picture]:
    """Return what draws these texts, a row each, however much room there is."""
    return lambda *_: [[(text, "")] for text in texts]


async def found(
    check: Callable[[App[None]], Iterable[str]],
    *shown: Widget,
    size: tuple[int, int] = SMALL,
    css: str = "",
) -> list[str]:
    """Return what a check says of a screen."""
    page = Page(*shown, css=css)
    async with page.run_test(size=size) as pilot:
        await pilot.pause(0)
        return list(check(page))


# Cut texts


async def test_a_row_that_fits_is_not_cut() -> None:
    assert await found(cut_texts, Drawn(rows(" all of it", " 0.99 running"))) == []


@pytest.mark.parametrize(
    "row", ["x" * 30 + " the running one", "." * 36 + " 0.99123", "." * 39 + " …"]
)
async def test_a_row_that_is_longer_than_its_widget_is_cut(row: str) -> None:
    (fault,) = await found(cut_texts, Drawn(rows(row)))
    assert "is cut after 40 cells" in fault


async def test_blanks_beyond_the_edge_are_no_text() -> None:
    assert await found(cut_texts, Drawn(rows("text" + " " * 80))) == []


async def test_rows_without_room_are_lost_unless_the_last_one_says_so() -> None:
    many = [f" row {number}" for number in range(12)]
    (fault,) = await found(cut_texts, Drawn(rows(*many)))
    assert "4 rows have no room, first 'row 8'" in fault
    assert await found(cut_texts, Drawn(rows(*many[:7], " … v shows all", *many[7:]))) == []


def shortened(end: str) -> Callable[[int, int], Picture]:
    """Return what writes "0.974 running" and leaves out letters where there is little room."""
    return lambda width, _: [[(" 0.974 running" if width > 100 else f" 0.974 runni{end}", "")]]


@pytest.mark.parametrize("end", ["", ".", "…"])
async def test_the_beginning_of_a_word_is_no_word(end: str) -> None:
    (fault,) = await found(cut_texts, Drawn(shortened(end)))
    assert "'runni' is the beginning of 'running'" in fault


async def test_a_shorter_word_of_the_same_text_is_a_word() -> None:
    text = rows(" run, and what else is running")
    assert await found(cut_texts, Drawn(text)) == []


async def test_a_word_that_waits_is_whole() -> None:
    assert await found(cut_texts, Drawn(rows(" measuring…", " 0.9…"))) == []


@pytest.mark.parametrize(
    ("line", "following", "parted"),
    [
        ("off by 0.44", "σ at most", True),
        ("that is 20", "% of it", True),
        ("accuracy 0.44", "±0.01, on 1,000 images", True),
        ("after 160", "updates 20 % are left", False),
        ("in all of conv1", "σ is a standard deviation", False),
    ],
)
async def test_a_figure_stays_with_its_unit(line: str, following: str, parted: bool) -> None:
    said = await found(cut_texts, Drawn(rows(line, following)))
    assert [("is parted from its unit" in fault) for fault in said] == [True] * parted


async def test_a_title_is_not_longer_than_its_frame() -> None:
    panel = Drawn(rows(" text"), classes="panel")
    panel.border_title = "t" * 34
    assert await found(cut_texts, panel) == []
    panel = Drawn(rows(" text"), classes="panel")
    panel.border_subtitle = "a subtitle that is longer than it may be here"
    (fault,) = await found(cut_texts, panel)
    assert "has 34 cells" in fault


async def test_a_title_without_a_frame_is_not_shown() -> None:
    canvas = Drawn(rows(" text"))
    canvas.border_title = "t" * 60
    assert await found(cut_texts, canvas) == []


async def test_a_text_does_not_touch_its_frame() -> None:
    said = await found(cut_texts, Drawn(rows("accuracy".rjust(38)), classes="panel"))
    assert ["touches its frame" in fault for fault in said] == [True]
    said = await found(cut_texts, Drawn(rows("ccuracy"), classes="panel"))
    assert ["touches its frame" in fault for fault in said] == [True]
    assert await found(cut_texts, Drawn(rows("0.99 ┤", "⠉" * 38), classes="panel")) == []


async def test_a_paragraph_that_is_wrapped_is_whole_and_a_long_word_in_it_is_not() -> None:
    sentence = "Validation fails because few updates leave the start value in the averages."
    assert await found(cut_texts, Static(sentence)) == []
    said = await found(cut_texts, Static("short Donaudampfschifffahrtsgesellschaftskapitänsmütze"))
    assert any("is the beginning of" in fault for fault in said)


async def test_a_label_of_one_row_does_not_hold_two() -> None:
    label = Label("Validation fails because few updates leave the start value in the averages.")
    label.styles.height, label.styles.width = 1, "100%"
    (fault,) = await found(cut_texts, label)
    assert "have no room" in fault


async def test_what_can_be_scrolled_to_is_not_lost() -> None:
    text = Static("\n".join(map(str, range(30))))
    assert await found(cut_texts, VerticalScroll(text)) == []


async def test_a_list_that_scrolls_is_on_the_screen_itself() -> None:
    listed = OptionList(*map(str, range(30)))
    listed.styles.height, listed.styles.offset = 8, (0, 2)
    said = await found(cut_texts, Container(listed))
    assert any("sticks out of" in fault for fault in said)
    listed = OptionList(*map(str, range(30)))
    listed.styles.height = 8
    assert await found(cut_texts, listed) == []


async def test_what_sticks_out_sideways_is_lost() -> None:
    text = Static("a few words")
    text.styles.width, text.styles.offset = 20, (30, 0)
    said = await found(cut_texts, Container(text))
    assert any("sideways" in fault for fault in said)


async def test_options_are_read_line_by_line() -> None:
    assert await found(cut_texts, OptionList("one", "two words")) == []
    said = await found(cut_texts, OptionList("Donaudampfschifffahrtsgesellschaftskapitänsmütze"))
    assert any("is the beginning of" in fault for fault in said)


async def test_what_an_empty_field_says_fits() -> None:
    assert await found(cut_texts, Input(placeholder="words")) == []
    (fault,) = await found(cut_texts, Input(placeholder="words, or settings such as momentum=0.9"))
    assert "longer than its field" in fault


# Overlaps


async def test_two_widgets_with_text_in_the_same_cells() -> None:
    said = await found(overlaps, Drawn(rows("below")), Static("above", id="over"))
    assert len(said) == 1
    assert "share the cells" in said[0]
    assert await found(overlaps, Drawn(rows("one")), Drawn(rows("other"))) == []


async def test_a_card_with_a_frame_may_lie_over_a_text() -> None:
    card = Drawn(rows(" a card"), classes="panel")
    card.styles.layer, card.styles.height = "above", 4
    below = Drawn(rows("text" * 10))
    assert await found(overlaps, below, card) == []
    card = Drawn(rows(" a card"), classes="panel")
    card.styles.layer, card.styles.height = "above", 4
    other = Drawn(rows(" another"), classes="panel")
    other.styles.layer, other.styles.height, other.styles.offset = "above", 4, (0, -2)
    said = await found(overlaps, card, other)
    assert any("share the cells" in fault for fault in said)


async def test_a_notice_over_a_text_is_an_overlap() -> None:
    page = Page(Drawn(rows(*["text" * 10] * 8)))
    async with page.run_test(size=SMALL, notifications=True) as pilot:
        page.notify("recalibrated")
        await pilot.pause()
        assert any("share the cells" in fault for fault in overlaps(page))


async def test_a_dialog_may_lie_over_the_screen_behind_it() -> None:
    class Dialog(ModalScreen[None]):
        def compose(self) -> ComposeResult:
            yield Static("a question")

    page = Page(Drawn(rows(*["text" * 10] * 8)))
    async with page.run_test(size=SMALL) as pilot:
        await page.push_screen(Dialog())
        await pilot.pause()
        assert overlaps(page) == []


@pytest.mark.parametrize(
    ("row", "together"),
    [
        ([(" 0.974", "fresh"), ("0.114", "running")], True),
        ([(" run", "axis"), ("updates", "")], True),
        ([(" 0.974", "fresh"), (" 0.114", "running")], False),
        ([("0.5 ┤", "axis"), ("⠉⠉", "train")], False),
        ([(" one ", "fresh"), ("", "bad"), ("word", "fresh")], False),
    ],
)
async def test_two_texts_of_one_row_have_a_blank_between_them(row: Row, together: bool) -> None:
    said = await found(overlaps, Drawn(lambda *_: [row]))
    assert ["runs into" in fault for fault in said] == [True] * together


# Empty panels


@pytest.mark.parametrize(
    ("picture", "share"),
    [
        ("", 0.0),
        ("xx\nxx", 0.0),
        ("  \n  ", 1.0),
        ("x   \n    \n    ", 9 / 12),
        (" x \n x \n x ", 1 / 3),
        ("x  \n  x\n   ", 4 / 9),
        ("xxxx\nx  x\nx  x\nxxxx", 4 / 16),
    ],
)
def test_the_largest_hole(picture: str, share: float) -> None:
    lines = picture.split("\n") if picture else []
    assert largest_hole([[cell == " " for cell in line] for line in lines]) == share


async def test_a_panel_of_a_few_words_is_mostly_empty() -> None:
    (fault,) = await found(too_empty, Drawn(rows(" waits"), classes="panel"), size=FULL)
    assert "97% of its 118×38 cells are one hole" in fault


async def test_a_panel_full_of_words_is_not() -> None:
    full = rows(*[" some words in every row of it" * 4] * 38)
    assert await found(too_empty, Drawn(full, classes="panel"), size=FULL) == []


async def test_a_shaded_area_fills_its_panel() -> None:
    def shaded(width: int, height: int) -> Picture:
        return [[(" " * (width // 2), "shade"), (" " * (width // 2), "")]] * height

    class Shaded(Drawn):
        COMPONENT_CLASSES = {"canvas--shade"}

    css = ".canvas--shade { background: red; }"
    half = await found(too_empty, Shaded(shaded, classes="panel"), size=FULL)
    assert "100% of its" in half[0]
    (fault,) = await found(too_empty, Shaded(shaded, classes="panel"), size=FULL, css=css)
    assert "50% of its" in fault


async def test_a_line_of_words_is_no_panel_and_what_a_panel_holds_is_not_counted_twice() -> None:
    inner = Drawn(rows(*["x" * 118] * 38))
    inner.styles.height = "1fr"
    page = Page(Container(inner, classes="panel"))
    async with page.run_test(size=FULL):
        assert [share for _, share in emptiness(page)] == [0.0]
    line = Drawn(rows(" a line"))
    line.styles.height = 1
    assert await found(too_empty, line, size=FULL) == []


async def test_emptiness_counts_where_there_is_room_for_everything() -> None:
    assert await found(faults, Drawn(rows(" waits"), classes="panel"), size=(80, 24)) == []
    assert await found(faults, Drawn(rows(" waits"), classes="panel"), size=FULL) != []


def test_regions_of_textual_are_what_the_checks_take_them_for() -> None:
    assert Region(0, 0, 4, 4).shrink((1, 1, 1, 1)) == Region(1, 1, 2, 2)


async def test_a_text_may_scroll_behind_a_part_that_stands_still() -> None:
    asked = Static("a question that stands still")
    asked.styles.dock, asked.styles.height = "bottom", 2
    text = Static("\n".join(["text"] * 30))
    assert await found(overlaps, VerticalScroll(text, asked)) == []
    text = Static("\n".join(["text"] * 8))
    text.styles.height = 8
    asked = Static("a question over a text that can't be scrolled")
    asked.styles.dock, asked.styles.height = "bottom", 2
    said = await found(overlaps, Container(text, asked))
    assert any("share the cells" in fault for fault in said)


async def test_a_word_of_another_text_is_a_word() -> None:
    """In short "of the averages", with more room "of their averages": "the" is no cut "their"."""

    def worded(width: int, height: int) -> Picture:
        return [[(" validation with theirs" if width > 100 else " validation with their", "")]]

    (fault,) = await found(cut_texts, Drawn(worded))
    assert "'their' is the beginning of 'theirs'" in fault
    other = Drawn(rows(" their averages"))
    assert await found(cut_texts, Drawn(worded), other) == []


class Plain(App[None]):
    """An app that can show ASCII only, as its canvases see it."""

    glyphs = Glyphs.ASCII

    def compose(self) -> ComposeResult:
        yield Curve(lambda *_: [])


class Curve(Drawn):
    def draw(self, width: int, height: int) -> Picture:
        plain = self.glyphs is Glyphs.ASCII
        return [[("r" * (width // 2), "running"), ("f" * 9, "fresh")]] if plain else [[("⠉", "")]]


async def test_curves_of_letters_are_no_words() -> None:
    page = Plain()
    async with page.run_test(size=SMALL):
        assert faults(page) == []
        assert page.glyphs is Glyphs.ASCII
