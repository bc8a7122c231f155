"""The area between two lines, and the words in it, as literal rows of text."""

import numpy as np
import pytest

from bntui.core.scales import UNIT
from bntui.core.series import Series, SeriesView
from bntui.ui.drawing.gap import Gap, GapLabel, around, lost, middle
from bntui.ui.drawing.plot import Line, plot
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.widgets.chart import Chart
from tests.ui.drawing.slate import Wire
from tests.ui.widgets.test_chart import ChartApp

TEXTS = (" lost for good: 0.80 ", " lost: 0.80 ")


def view(*values: float) -> SeriesView:
    series = Series()
    for x, value in enumerate(values):
        series.append(x, value)
    return series.view()


def drawn(
    upper: SeriesView,
    lower: SeriesView,
    *others: Line,
    width: int = 30,
    height: int = 5,
    x: tuple[float, float] = (0, 9),
    cursor: float | None = None,
    texts: tuple[str, ...] = TEXTS,
    label: GapLabel | None = None,
    glyphs: Glyphs = Glyphs.BRAILLE,
) -> list[str]:
    fresh, running = Line("fresh", "fresh", upper), Line("running", "running", lower)
    picture = plot(
        [*others, fresh, running],
        width=width,
        height=height,
        x_low=x[0],
        x_high=x[1],
        y=UNIT,
        cursor=cursor,
        glyphs=glyphs,
        gap=Gap(fresh, running, texts, label or GapLabel()),
    )
    return ["".join(text for text, _ in row) for row in picture]


HIGH, LOW = view(*[0.9] * 10), view(*[0.1] * 10)


class TestShade:
    def test_it_fills_what_lies_between_and_the_longest_words_that_fit_stand_in_its_middle(
        self,
    ) -> None:
        assert drawn(HIGH, LOW) == [
            "⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤",
            "░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░",
            "░░░░ lost for good: 0.80 ░░░░░",
            "░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░",
            "⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒",
        ]

    def test_where_running_is_not_below_fresh_there_is_none(self) -> None:
        assert "░" not in "".join(drawn(LOW, HIGH))
        assert "░" not in "".join(drawn(HIGH, HIGH))
        assert "░" not in "".join(drawn(HIGH, view()))

    def test_it_follows_the_lines_and_ends_with_them(self) -> None:
        falling = view(0.9, 0.5, 0.1, 0.1, 0.1)
        assert drawn(view(*[0.9] * 5), falling, texts=()) == [
            "⢤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠄                ",
            " ⠑⡄░░░░░░░░░░░                ",
            "  ⠈⠒⡄░░░░░░░░░                ",
            "    ⠈⢢░░░░░░░░                ",
            "      ⠑⠒⠒⠒⠒⠒⠒⠂                ",
        ]

    def test_it_keeps_off_other_lines(self) -> None:
        ghost = Line("was running", "running ghost", view(*[0.5] * 10), ghost=True)
        rows = drawn(HIGH, LOW, ghost, texts=(" a ",))
        assert rows[2] == "⠒" * 30
        assert " a " in rows[1] + rows[3]

    @pytest.mark.parametrize(
        ("glyphs", "row"),
        [(Glyphs.BLOCKS, "░░░ lost: 0.80 ░░░░"), (Glyphs.ASCII, "::: lost: 0.80 ::::")],
    )
    def test_every_terminal_can_show_it(self, glyphs: Glyphs, row: str) -> None:
        assert drawn(HIGH, LOW, width=19, glyphs=glyphs)[2] == row

    def test_its_roles_tell_shade_from_words(self) -> None:
        fresh, running = Line("fresh", "fresh", HIGH), Line("running", "running", LOW)
        picture = plot(
            [fresh, running], width=18, height=5, x_low=0, x_high=9, y=UNIT,
            gap=Gap(fresh, running, TEXTS),
        )  # fmt: skip
        assert picture[2] == [("░░░", "shade"), (" lost: 0.80 ", "running"), ("░░░", "shade")]

    def test_the_crosshair_lies_over_the_shade_and_under_the_words(self) -> None:
        rows = drawn(HIGH, LOW, cursor=4.5)
        assert [row[14:17] for row in rows] == ["⠤⠤⠤", "░│░", "goo", "░│░", "⠒⠒⠒"]


class TestWords:
    def test_they_say_what_is_lost_at_one_place(self) -> None:
        upper, lower = view(0.9, 0.95), view(0.9, 0.11)
        assert lost(upper, lower, 9) == (" lost to stale statistics: 0.84 ", " lost: 0.84 ")

    @pytest.mark.parametrize("values", [(0.9, 0.86), (0.1, 0.9), (np.nan, 0.1), (0.9, np.nan)])
    def test_where_there_is_no_harm_they_say_nothing(self, values: tuple[float, float]) -> None:
        upper, lower = map(view, values)
        assert lost(upper, lower, 9) == ()
        assert lost(HIGH, LOW, -1) == ()

    def test_they_stay_where_they_are_as_time_passes(self) -> None:
        """The longer words are put into the middle once, when there is room for them."""
        label, places = GapLabel(), []
        for count in range(1, 41):
            rows = drawn(
                view(*[0.9] * count), view(*[0.1] * count), width=40, x=(0, 39), label=label
            )
            places.append((label.text, label.row, label.start))
            if label.text >= 0:
                assert TEXTS[label.text] in rows[label.row]
        seen = list(dict.fromkeys(places))
        assert [text for text, _, _ in seen] == [-1, 1, 0]

    def test_they_go_to_the_middle_anew_where_the_area_has_grown_large(self) -> None:
        label = GapLabel()
        for count in range(1, 121):
            drawn(view(*[0.9] * count), view(*[0.1] * count), width=120, x=(0, 119), label=label)
        assert label.text == 0
        assert label.start > 15

    def test_they_move_only_where_something_else_has_come(self) -> None:
        label = GapLabel()
        drawn(HIGH, LOW, label=label)
        assert label.row == 2
        drawn(HIGH, LOW, Line("was", "", view(*[0.5] * 10), ghost=True), label=label)
        assert label.row == 1

    def test_too_small_an_area_has_none(self) -> None:
        label = GapLabel(0, 30, 30, 10)  # from a larger chart
        assert not any("lost" in row for row in drawn(HIGH, LOW, width=11, label=label))
        assert not any("lost" in row for row in drawn(HIGH, LOW, height=2, label=label))

    def test_they_stand_in_the_area_that_they_speak_of(self) -> None:
        """Not in one before, from which validation had recovered."""
        upper = view(*[0.9] * 30)
        lower = view(*[0.1] * 14, *[0.9] * 2, *[0.1] * 14)
        assert drawn(upper, lower, width=60, x=(0, 29))[2].index("lost") > 30
        assert drawn(upper, lower, width=60, x=(0, 29), cursor=5)[2].index("lost") < 30
        assert not any("lost" in row for row in drawn(upper, lower, width=60, x=(0, 29), cursor=40))


def test_the_middle_is_kept_off_the_edges_where_there_is_room() -> None:
    free = np.ones((3, 7), dtype=np.bool_)
    assert middle(free, 3) == (1, 2)
    assert middle(free[:1], 7) == (0, 0)
    assert middle(free, 8) is None
    free[0, 2] = False
    assert middle(free, 3) == (1, 3)
    assert middle(np.zeros_like(free), 1) is None


def test_an_area_around_a_column_ends_where_it_is_broken() -> None:
    area = np.array([[0, 1, 1, 0, 1, 0], [0, 0, 1, 0, 1, 1]], dtype=np.bool_)
    assert around(area, 1).astype(int).tolist() == [[0, 1, 1, 0, 0, 0], [0, 0, 1, 0, 0, 0]]
    assert around(area, 5).astype(int).tolist() == [[0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 1, 1]]
    assert not around(area, 3).any()
    assert not around(area, None).any()


async def test_a_live_frame_sends_the_newest_columns_of_the_area_and_no_more() -> None:
    """A cell takes its three bytes and a move of the cursor; the words are not sent again."""
    app, frames = ChartApp(driver_class=Wire), []
    async with app.run_test(headless=False, size=(120, 40)) as pilot:
        driver, chart = app._driver, app.query(Chart).first()
        assert isinstance(driver, Wire)
        for count in range(70, 101):
            lines = [Line("fresh", "fresh", view(*[0.9] * count))]
            lines.append(Line("running", "running", view(*[0.1] * count)))
            driver.written = ""
            chart.show(lines, planned=128.0, gap=(lines[0], lines[1]))
            await pilot.pause()
            frames.append(driver.written)
        rows = chart.size.height - 1
    assert "lost to stale statistics: 0.80" in frames[0]
    assert not any("lost" in frame for frame in frames[1:])
    assert max(len(frame.encode()) for frame in frames[1:]) < 12 * rows
