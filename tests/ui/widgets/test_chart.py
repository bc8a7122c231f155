"""A chart on the screen: what it shows, and sends."""

from typing import Any

from textual.app import ComposeResult

from bntui.core.scales import UNIT
from bntui.core.series import Series
from bntui.core.snapshot import Mark
from bntui.ui.drawing.plot import Line
from bntui.ui.drawing.view import Axis, View
from bntui.ui.terminal.diff_output import DiffApp
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.widgets.chart import Chart
from tests.ui.drawing.slate import Slate, Wire, characters


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
