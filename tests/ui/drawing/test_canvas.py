"""The canvas sends what changed, and no more."""

import re
from collections.abc import Callable
from typing import Any, Self

import pytest
from rich.console import COLOR_SYSTEMS
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Region
from textual.widgets import Static

from bntui.core.scales import UNIT
from bntui.core.series import Series
from bntui.core.snapshot import Mark
from bntui.ui.drawing.canvas import ROLES, Canvas, Picture, changed_spans, fitted
from bntui.ui.drawing.plot import Line
from bntui.ui.drawing.view import Axis, View
from bntui.ui.terminal.diff_output import DiffApp
from bntui.ui.terminal.glyphs import Glyphs
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


class SlateApp(DiffApp):
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

    def test_what_can_not_be_shown_becomes_a_question_mark(self) -> None:
        assert fitted([("a\x1b\t\n\0e\u200b\xad", "")], 9) == [("a????e?? ", "")]

    def test_a_wide_character_takes_two_cells_and_a_mark_on_another_none(self) -> None:
        assert fitted([("漢🙂e\u0301x", "")], 8) == [("漢\0🙂\0ex  ", "")]
        assert fitted([("a漢b", "x"), ("字c", "y")], 7) == [("a漢\0b", "x"), ("字\0c", "y")]

    def test_half_a_wide_character_is_none(self) -> None:
        assert fitted([("a漢字", "")], 4) == [("a漢\0 ", "")]
        assert fitted([("漢", "x"), ("字", "y")], 3) == [("漢\0", "x"), (" ", "y")]
        assert fitted([("漢", "x")], 1) == [(" ", "x")]

    def test_what_charts_are_made_of_is_left_alone(self) -> None:
        text = "│┤▲×⣿⠁▁█▓░·–é→σ≈✖▶◀"
        assert fitted([(text, "")], len(text)) == [(text, "")]

    def test_plain_is_ascii(self) -> None:
        assert fitted([("│▲ 2 σ", "x"), ("⣿漢", "")], 10, plain=True) == [
            ("|^ 2 s", "x"),
            ("*?? ", ""),
        ]


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

    def test_a_wide_character_is_changed_as_a_whole(self) -> None:
        assert self.spans("a漢\0b", "a字\0b") == [(1, 3)]
        assert self.spans("a漢\0b", "axyb") == [(1, 3)]
        assert self.spans("axyb", "a漢\0b") == [(1, 3)]

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

    async def test_wide_characters_are_written_in_their_cells(self) -> None:
        async with SlateApp().run_test() as pilot:
            slate = pilot.app.query_one(Slate)
            slate.show("数字 7", "two")
            assert slate.show("数学 7", "two") == [(Region(2, 0, 2, 1),)]
            assert line(slate, 0).rstrip() == "数学 7"
            assert slate.render_line(0).cell_length == slate.size.width

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

    async def test_roles_have_colours_that_suit_the_theme(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
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


class ChartApp(DiffApp):
    CSS = "Chart { border: round white; height: 1fr; }"

    def __init__(self, glyphs: Glyphs = Glyphs.BRAILLE, **options: Any) -> None:
        super().__init__(**options)
        self.glyphs = glyphs

    def compose(self) -> ComposeResult:
        yield Chart("accuracy", y=UNIT)
        yield Chart("loss", log=True)


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

    async def test_the_title_says_how_to_read_it(self) -> None:
        async with ChartApp().run_test() as pilot:
            chart, loss = pilot.app.query(Chart)
            line = self.line(*[0.5] * 101)
            clock = self.line(*(300.0 * update for update in range(101))).view

            def title(view: View) -> str | None:
                chart.show([line], view=view, clock=None if view.axis is Axis.UPDATES else clock)
                return chart.border_title

            assert title(View()) == "accuracy"
            assert title(View(cursor=96)) == "accuracy · at update 96"
            assert title(View(Axis.IMAGES, None, 96)) == "accuracy · at update 96 · 28.8k images"
            assert title(View(window=(20, 60))) == "accuracy · up to update 60"
            assert title(View(window=(20, 60), cursor=30)) == "accuracy · at update 30"
            assert title(View(window=(60, 100), smooth=True)) == "accuracy · smoothed"
            loss.show([line], view=View())
            assert loss.border_title == "loss, log"
            loss.show([line], view=View(log_loss=False))
            assert loss.border_title == "loss"

    async def test_the_title_reads_what_the_legend_has_no_room_for(self) -> None:
        def title() -> str | None:
            return chart.border_title

        async with ChartApp().run_test(size=(80, 10)) as pilot:
            chart = pilot.app.query(Chart).first()
            ghosts = [Line(f"was {what}", "", self.line(0.5).view, ghost=True) for what in "ab"]
            chart.show([*ghosts, self.line(0.5), self.line(0.5)], view=View(cursor=0))
            assert title() == "accuracy · at update 0 · was 0.500 0.500"
            await pilot.resize_terminal(80, 40)
            await pilot.pause()
            assert title() == "accuracy · at update 0"

    async def test_a_window_shows_its_part_and_the_range_that_fits(self) -> None:
        async with ChartApp().run_test() as pilot:
            chart = pilot.app.query(Chart).first()
            line = self.line(*[0.0] * 50, *[0.96, 0.97] * 30)
            chart.show([line], view=View(window=(60, 100)))
            top, *_, axis = (chart.render_line(y).text for y in range(chart.size.height))
            assert top.startswith("0.970┤")
            assert axis.split() == ["60", "70", "80", "90", "100", "updates"]
            chart.show([line])
            assert chart.render_line(0).text.startswith(" 1.0 ┤")

    async def test_marks_stand_on_the_axis_that_is_shown(self) -> None:
        async with ChartApp().run_test() as pilot:
            chart = pilot.app.query(Chart).first()
            marks = [Mark(4, "momentum 0.99→0.98"), Mark(6, "momentum 0.98→0.9")]
            clock = self.line(*(250.0 * update for update in range(9))).view
            chart.show([], marks, view=View(axis=Axis.IMAGES), clock=clock)
            axis = chart.render_line(chart.size.height - 1).text
            assert axis.split() == ["0", "500", "momentum", "0.99→0.9", "▲", "images"]

    async def test_in_ascii_no_other_character_is_shown(self) -> None:
        async with ChartApp(Glyphs.ASCII).run_test() as pilot:
            chart = pilot.app.query(Chart).first()
            marks = [Mark(4, "momentum 0.99→0.98"), Mark(9, "diverged")]
            chart.show([self.line(0.5, 0.6, float("nan"))], marks, view=View(cursor=1))
            rows = [chart.render_line(y).text for y in range(chart.size.height)]
            assert "".join([*rows, chart.border_title or ""]).isascii()
            assert chart.border_title == "accuracy . at update 1"

    async def test_in_ascii_titles_are_too(self) -> None:
        class Titled(ChartApp):
            def compose(self) -> ComposeResult:
                slate = Slate()
                slate.border_title, slate.border_subtitle = "·░ [x]", "↑↓"
                yield slate

        async with Titled(Glyphs.ASCII).run_test() as pilot:
            slate = pilot.app.query_one(Slate)
            assert slate.border_title is not None
            assert slate.border_title.isascii()
            assert slate.border_subtitle == "^v"


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

    async def test_where_styles_take_turns_each_is_sent_once(self) -> None:
        def change(slate: Slate) -> None:
            slate.picture = [
                [("⣤", "fresh"), ("⣿" * 5, "running"), ("⣤", "fresh"), ("⣿" * 4 + "⣤", "running")],
                [("⠃", "fresh"), ("⠁" * 10 + "⠃", "running")],
            ]
            slate.repaint()

        written = await sent(change)
        assert sorted(characters(written)) == sorted("⣤⣤⣤⠃⠃")
        assert len(re.findall(r"\x1b\[[\d;]*m", written)) == 3  # one, the other, off

    async def test_a_whole_screen_is_sent_when_all_is_dirty(self) -> None:
        written = await sent(lambda slate: slate.screen.refresh())
        shown = characters(written)
        assert len(shown) == 40 * 10
        assert shown[40:61] == "│⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿      │ "

    async def test_a_title_whose_colours_alone_change_is_sent(self) -> None:
        class Titled(SlateApp):
            def compose(self) -> ComposeResult:
                slate = Slate()
                slate.retitle("a ", ("█", "#ff0000"), ("█", "#00ff00"), ("█", "#0000ff"))
                yield slate

        def change(slate: Slate) -> None:
            slate.retitle("a ", ("█", "#00ff00"), ("█", "#0000ff"), ("█", "#0000ff"))

        assert characters(await sent(change, Titled(driver_class=Wire))) == "██"

    @pytest.mark.parametrize(
        "border", ["border: round white", "border: none; border-top: solid white"]
    )
    async def test_a_title_changes_where_it_stands_with_and_without_corners(
        self, border: str
    ) -> None:
        class Titled(SlateApp):
            CSS = f"Slate {{ {border}; }}"

            def compose(self) -> ComposeResult:
                slate = Slate()
                slate.retitle("gap")
                yield slate

        assert (
            characters(await sent(lambda slate: slate.retitle("run"), Titled(driver_class=Wire)))
            == "run"
        )

    async def test_a_wide_character_above_the_canvas_is_sent_whole(self) -> None:
        class Covered(DiffApp):
            CSS = "Screen { layers: below above; } Static { layer: above; offset: 4 1; width: 4; }"

            def compose(self) -> ComposeResult:
                yield Slate()
                yield Static("漢字")

        def change(slate: Slate) -> None:
            slate.show("⣿⣿⣿⣿⣤⣿⣿⣿⣿⣿⣿⣿", "⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁", role="running")

        assert characters(await sent(change, Covered(driver_class=Wire))) == "漢字"


class TestChartBytesSent:
    """Two charts side by side with the run; a byte is a byte that SSH has to carry."""

    @staticmethod
    async def sent(*views: View, lengths: tuple[int, ...] | None = None) -> list[str]:
        """Return what each change from one view (or length of the run) to the next sends."""
        app = ChartApp(driver_class=Wire)
        lengths = lengths or (100,) * len(views)
        changes = []
        async with app.run_test(headless=False, size=(120, 40)) as pilot:
            driver = app._driver
            assert isinstance(driver, Wire)
            for length, view in zip(lengths, views, strict=True):
                driver.written = ""
                for chart in app.query(Chart):
                    chart.show([TestChart.line(*[0.5] * length)], view=view)
                await pilot.pause()
                changes.append(driver.written)
        return changes[1:]

    async def test_a_crosshair_moved_by_one_column_sends_two(self) -> None:
        (written,) = await self.sent(View(cursor=50), View(cursor=51))
        rows = 2 * 17
        assert characters(written).count("│") == rows - 2
        assert len(characters(written)) <= 2 * rows + 2 * len("51")
        assert len(written.encode()) < 20 * rows

    async def test_a_crosshair_within_its_column_sends_the_title_alone(self) -> None:
        (written,) = await self.sent(View(cursor=45), View(cursor=46))
        assert characters(written) == "66"

    async def test_a_shorter_title_leaves_nothing_behind(self) -> None:
        _, written = await self.sent(View(cursor=10), View(cursor=50), View())
        assert characters(written).count("─") == 2 * len("· at update 50 ")

    async def test_a_live_frame_sends_the_ends_of_the_lines(self) -> None:
        frames = await self.sent(*[View()] * 30, lengths=tuple(range(70, 100)))
        sizes = sorted(len(frame.encode()) for frame in frames)
        assert sizes[-1] < 2 * 60


class TestRolesWithoutColour:
    """What a role looks like at the other end: attributes, foreground, background."""

    @staticmethod
    async def looks(theme: str, **options: Any) -> dict[str, str]:
        app = SlateApp(driver_class=Wire, **options)
        app.theme = theme
        async with app.run_test(headless=False) as pilot:
            await pilot.pause()
            slate = pilot.app.query_one(Slate)
            system = COLOR_SYSTEMS[app.console.color_system or "truecolor"]
            looks = {}
            for role in (*ROLES, "train ghost", "fresh ghost", "running ghost"):
                segments = [Segment("x", slate.role_style(role))]
                for line_filter in app.get_line_filters():
                    segments = line_filter.apply(segments, slate.background_colors[1])
                assert segments[0].style
                looks[role] = segments[0].style.render("x", color_system=system)
            return looks

    @pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
    @pytest.mark.parametrize(
        "environment",
        [
            {"COLORTERM": "truecolor"},
            {"TERM": "xterm-256color"},
            {"TERM": "xterm"},
            {"TERM": "xterm", "NO_COLOR": "1"},
            {"TERM": "xterm-256color", "NO_COLOR": "1"},
        ],
    )
    async def test_what_must_not_be_mistaken_differs(
        self, theme: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("COLORTERM", "TERM", "NO_COLOR"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        looks = await self.looks(theme)
        assert len({looks[role] for role in ("train", "fresh", "running", "bad")}) == 4
        assert looks["good"] != looks["bad"]
        for role in ("train", "fresh", "running"):
            assert looks[f"{role} ghost"] != looks[role]

    async def test_without_any_colour_they_differ_in_weight(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        looks = await self.looks("textual-dark", ansi_color=True)
        names = ("train", "fresh", "running", "bad", "running ghost")
        codes = [re.findall(r"\x1b\[(.*?)m", looks[name])[0] for name in names]
        assert codes == ["2;39;49", "39;49", "1;39;49", "1;7;39;49", "1;2;39;49"]
