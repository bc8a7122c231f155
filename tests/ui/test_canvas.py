"""The canvas sends what changed, and no more."""

import re
from collections.abc import Callable
from typing import Any, Self

from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Region
from textual.widgets import Static

from bntui.engine.series import Series
from bntui.ui.canvas import Canvas, Picture, changed_spans, fitted
from bntui.ui.charts import Line
from bntui.ui.frugal import FrugalApp
from bntui.ui.scales import UNIT
from bntui.ui.widgets.chart import Chart


class Slate(Canvas):
    """Shows the picture it is given and keeps what it asks to have refreshed."""

    DEFAULT_CSS = "Slate { border: round red; height: 5; width: 20; }"

    def __init__(self) -> None:
        super().__init__()
        self.picture: Picture = []
        self.refreshed: list[tuple[Region, ...]] = []
        self.sizes: list[tuple[int, int]] = []

    def draw(self, width: int, height: int) -> Picture:
        self.sizes.append((width, height))
        return [list(row) for row in self.picture]

    def refresh(self, *regions: Region, **options: Any) -> Self:
        self.refreshed.append(regions)
        return super().refresh(*regions, **options)

    def show(self, *rows: str, role: str = "") -> list[tuple[Region, ...]]:
        """Draw rows of text and return the refreshes this asks for."""
        self.picture = [[(row, role)] for row in rows]
        self.refreshed.clear()
        self.repaint()
        return list(self.refreshed)


class SlateApp(FrugalApp):
    def compose(self) -> ComposeResult:
        yield Slate()


def line(slate: Slate, y: int) -> str:
    return slate.render_line(y).text


class TestFitted:
    def test_a_row_is_padded_and_cut_to_the_width(self) -> None:
        assert fitted([("ab", "x")], 4) == [("ab", "x"), ("  ", "")]
        assert fitted([("abc", "x"), ("def", "y")], 4) == [("abc", "x"), ("d", "y")]
        assert fitted([], 2) == [("  ", "")]
        assert fitted([("ab", "x")], 0) == []

    def test_neighbours_of_one_role_are_merged(self) -> None:
        assert fitted([("a", "x"), ("", "y"), ("b", "x"), ("c", "")], 4) == [
            ("ab", "x"),
            ("c ", ""),
        ]

    def test_what_is_not_one_cell_wide_becomes_a_question_mark(self) -> None:
        odd = "a\x1b\t\n漢🙂e\u0301\u200b\xad"
        assert fitted([(odd, "")], 12) == [("a?????e???  ", "")]

    def test_what_charts_are_made_of_is_left_alone(self) -> None:
        text = "│┤▲×⣿⠁▁█▓░·–é→σ≈✖▶◀"
        assert fitted([(text, "")], len(text)) == [(text, "")]


class TestChangedSpans:
    @staticmethod
    def spans(old: str, new: str) -> list[tuple[int, int]]:
        return changed_spans([(old, "")], [(new, "")])

    def test_equal_rows_have_none(self) -> None:
        assert self.spans("abc", "abc") == []

    def test_a_span_covers_what_differs(self) -> None:
        assert self.spans("abcdef", "abXYef") == [(2, 4)]

    def test_near_spans_are_merged_and_far_ones_are_not(self) -> None:
        assert self.spans("abcdefgh", "XbcXefgh") == [(0, 4)]
        assert self.spans("abcdefgh", "XbcdXfgh") == [(0, 1), (4, 5)]

    def test_another_role_is_a_change(self) -> None:
        assert changed_spans([("abc", "x")], [("a", "x"), ("b", "y"), ("c", "x")]) == [(1, 2)]


class TestRepaint:
    async def test_only_changed_cells_are_refreshed(self) -> None:
        async with SlateApp().run_test() as pilot:
            slate = pilot.app.query_one(Slate)
            slate.show("one", "two", "three")
            assert slate.show("one", "tXo", "three") == [(Region(1, 1, 1, 1),)]
            assert slate.show("one", "tXo", "three") == []
            assert slate.show("One   !", "tXo", "three") == [
                (Region(0, 0, 1, 1), Region(6, 0, 1, 1))
            ]
            assert line(slate, 0) == "One   !           "

    async def test_another_size_draws_everything(self) -> None:
        async with SlateApp().run_test() as pilot:
            slate = pilot.app.query_one(Slate)
            slate.show("one")
            assert slate.sizes[-1] == (18, 3)
            slate.styles.width, slate.styles.height = 12, 8
            await pilot.pause()
            assert slate.sizes[-1] == (10, 6)
            assert line(slate, 0) == "one       "
            assert slate.show("One") == [(Region(0, 0, 1, 1),)]

    async def test_a_hidden_canvas_is_up_to_date_when_it_comes_back(self) -> None:
        async with SlateApp().run_test() as pilot:
            slate = pilot.app.query_one(Slate)
            slate.show("one")
            await pilot.pause()
            slate.display = False
            await pilot.pause()
            assert slate.show("two") == [()]
            assert slate.show("three") == []
            slate.display = True
            await pilot.pause()
            assert "three" in "".join(strip.text for strip in slate.render_lines(slate.size.region))

    async def test_roles_have_colours_that_suit_the_theme(self) -> None:
        async with SlateApp().run_test() as pilot:
            slate = pilot.app.query_one(Slate)

            def color(role: str) -> str:
                found = slate.role_style(role).color
                return found.name if found else ""

            assert color("running") == "#e69f00"
            assert color("fresh") == "#56b4e9"
            assert color("running ghost") == "#e69f00"
            assert slate.role_style("running ghost").dim
            assert slate.role_style("fresh strong").bold
            assert slate.role_style("fresh").bgcolor == slate.role_style("").bgcolor is not None
            pilot.app.theme = "textual-light"
            await pilot.pause()
            assert color("running") == "#8f6000"


class ChartApp(FrugalApp):
    def compose(self) -> ComposeResult:
        yield Chart("accuracy", y=UNIT)
        yield Chart("loss, log", log=True)


class TestChart:
    @staticmethod
    def line(*values: float) -> Line:
        series = Series()
        for x, value in enumerate(values):
            series.append(x, value)
        return Line("fresh", "fresh", series.view())

    async def test_a_growing_line_changes_its_end_and_its_value(self) -> None:
        async with ChartApp().run_test() as pilot:
            chart = pilot.app.query(Chart).first()
            assert chart.border_title == "accuracy"
            chart.show([self.line(*[0.5] * 9)])
            before = [chart.render_line(y) for y in range(chart.size.height)]
            chart.show([self.line(*[0.5] * 9, 0.502)])
            after = [chart.render_line(y) for y in range(chart.size.height)]
            changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
            assert len(changed) == 1
            assert (
                sum(a != b for a, b in zip(changed[0][0].text, changed[0][1].text, strict=True)) < 5
            )

    async def test_the_axis_keeps_its_range_while_it_serves(self) -> None:
        async with ChartApp().run_test() as pilot:
            chart = pilot.app.query(Chart).last()
            chart.show([self.line(0.5, 80)])
            assert chart.render_line(0).text.startswith(" 100 ┤")
            chart.show([self.line(3, 80)])
            assert chart.render_line(chart.size.height - 2).text.startswith(" 0.1 ┤")
            chart.show([self.line(3, 800)])
            assert chart.render_line(0).text.startswith("1000 ┤")


class Wire(HeadlessDriver):
    """A driver that keeps what it is to write to the terminal."""

    written = ""

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.written += data


async def sent(change: Callable[[Slate], object], app: App[None] | None = None) -> str:
    """Return what one change sends to the terminal."""
    app = app or SlateApp(driver_class=Wire)
    async with app.run_test(headless=False, size=(40, 10)) as pilot:
        slate = pilot.app.query_one(Slate)
        slate.show("⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿", "⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁", role="running")
        await pilot.pause()
        driver = app._driver
        assert isinstance(driver, Wire)
        driver.written = ""
        change(slate)
        await pilot.pause()
        return driver.written


def characters(written: str) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", written)


class TestBytesSent:
    async def test_one_changed_cell_is_sent_alone(self) -> None:
        def change(slate: Slate) -> None:
            slate.show("⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣤⣿", "⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁", role="running")

        written = await sent(change)
        assert characters(written) == "⣤"
        assert len(written.encode()) < 60

    async def test_cells_of_one_style_share_its_codes(self) -> None:
        def change(slate: Slate) -> None:
            slate.show("⣤⣿⣿⣿⣿⣿⣿⣿⣿⣿⣤⣿", "⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠃", role="running")

        written = await sent(change)
        assert characters(written) == "⣤⣤⠃"
        assert len(re.findall(r"\x1b\[[\d;]*m", written)) == 2  # on and off

    async def test_a_whole_screen_is_sent_when_all_is_dirty(self) -> None:
        written = await sent(lambda slate: slate.screen.refresh())
        shown = characters(written)
        assert len(shown) == 40 * 10
        assert shown[40:61] == "│⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿      │ "

    async def test_a_wide_character_above_the_canvas_is_sent_whole(self) -> None:
        class Covered(FrugalApp):
            CSS = "Screen { layers: below above; } Static { layer: above; offset: 4 1; width: 4; }"

            def compose(self) -> ComposeResult:
                yield Slate()
                yield Static("漢字")

        def change(slate: Slate) -> None:
            slate.show("⣿⣿⣿⣿⣤⣿⣿⣿⣿⣿⣿⣿", "⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁", role="running")

        assert characters(await sent(change, Covered(driver_class=Wire))) == "漢字"
