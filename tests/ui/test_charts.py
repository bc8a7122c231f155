"""Charts as literal rows of text."""

import math
from collections.abc import Sequence

import pytest

from bntui.engine.series import Series, SeriesView
from bntui.engine.snapshot import Mark
from bntui.ui.charts import Line, bar, braille, chart, sparkline, spread
from bntui.ui.scales import UNIT, YRange, extent, grown, settled

NAN = math.nan


def view(*values: float, capacity: int = 1024) -> SeriesView:
    series = Series(capacity)
    for x, value in enumerate(values):
        series.append(x, value)
    return series.view()


def text(picture: Sequence[Sequence[tuple[str, str]]]) -> list[str]:
    return ["".join(characters for characters, _ in row) for row in picture]


def plot(
    *values: float, width: int, x_high: float, x_low: float = 0, y: YRange = UNIT
) -> list[str]:
    line = Line("a", "a", view(*values))
    return text(braille([line], width=width, height=3, x_low=x_low, x_high=x_high, y=y))


def axes(lines: Sequence[Line], *, marks: Sequence[Mark] = (), y: YRange = UNIT) -> list[str]:
    return text(chart(lines, width=46, height=6, x_low=0, x_high=32, y=y, marks=marks))


class TestBraille:
    def test_a_rising_line_joins_sparse_points(self) -> None:
        assert plot(0, 1, width=8, x_high=1) == [
            "     ⢀⠔⠊",
            "  ⢀⡠⠊⠁  ",
            "⡠⠔⠁     ",
        ]

    def test_a_step_is_joined_upright(self) -> None:
        assert plot(0, 0, 1, 1, width=6, x_high=3) == [
            "   ⡜⠉⠉",
            "  ⢠⠃  ",
            "⣀⣀⡎   ",
        ]

    def test_one_bucket_of_many_in_a_column_survives(self) -> None:
        values = [0.5] * 1600
        values[801] = 1.0
        line = Line("a", "a", view(*values, capacity=64))
        assert text(braille([line], width=10, height=3, x_low=0, x_high=1599, y=UNIT)) == [
            "     ⡇    ",
            "⠒⠒⠒⠒⠒⠓⠒⠒⠒⠒",
            "          ",
        ]

    def test_a_spike_between_two_columns_survives(self) -> None:
        values = [0.5] * 100
        values[52] = 0.0  # columns 0 to 7 lie 14.1 updates apart
        assert plot(*values, width=4, x_high=99) == [
            "    ",
            "⠒⠒⡖⠒",
            "  ⡇ ",
        ]

    def test_a_nan_leaves_a_gap_and_a_mark(self) -> None:
        assert plot(0.5, 0.5, 0.5, NAN, 0.5, 0.5, 0.5, width=7, x_high=6) == [
            "       ",
            "⠒⠒⠂ ⠐⠒⠒",
            "   ×   ",
        ]

    def test_a_diverged_tail_is_marks(self) -> None:
        line = Line("a", "a", view(0.5, 0.8, math.inf, NAN, NAN))
        picture = braille([line], width=7, height=3, x_low=0, x_high=8, y=UNIT)
        assert text(picture) == [
            "⢀⠄     ",
            "⠃      ",
            " ×××   ",
        ]
        assert picture[2] == [(" ", ""), ("×××", "bad"), ("   ", "")]

    def test_one_point_is_one_dot(self) -> None:
        assert plot(0.5, width=4, x_high=4) == ["    ", "⠂   ", "    "]

    def test_no_point_is_an_empty_plot(self) -> None:
        assert plot(width=4, x_high=4) == ["    "] * 3

    def test_nothing_but_nan_is_a_mark(self) -> None:
        assert plot(NAN, width=4, x_high=4) == ["    ", "    ", "×   "]

    def test_equal_values_are_a_flat_line(self) -> None:
        assert plot(0.5, 0.5, 0.5, width=4, x_high=2) == ["    ", "⠒⠒⠒⠒", "    "]

    def test_a_zoomed_line_comes_in_and_goes_out_at_the_edges(self) -> None:
        assert plot(0, 0.25, 0.5, 0.75, 1, width=8, x_low=1.5, x_high=2.5) == [
            "        ",
            "⣀⡠⠤⠤⠒⠒⠊⠉",
            "        ",
        ]

    def test_powers_of_ten_rise_straight_on_a_logarithmic_axis(self) -> None:
        thousand = YRange(1, 1000, log=True)
        straight = plot(0, 1, width=8, x_high=1)
        assert plot(1, 10, 100, 1000, width=8, x_high=3, y=thousand) == straight

    def test_what_has_no_logarithm_lies_at_the_bottom(self) -> None:
        assert plot(1, 10, 100, 0, width=8, x_high=3, y=YRange(1, 1000, log=True)) == [
            "        ",
            "  ⢀⡠⠊⠑⡄ ",
            "⡠⠔⠁   ⠈⢆",
        ]

    def test_cells_are_shared_and_ghosts_lie_below(self) -> None:
        lines = [Line("up", "up", view(0, 1)), Line("down", "down", view(1, 0), ghost=True)]
        assert braille(lines, width=4, height=3, x_low=0, x_high=1, y=UNIT) == [
            [("⠱⡀", "down"), ("⢀⠎", "up")],
            [(" ", ""), ("⡸⢇", "up"), (" ", "")],
            [("⡔⠁", "up"), ("⠈⢢", "down")],
        ]


class TestChart:
    def test_axes_lines_and_names(self) -> None:
        lines = [
            Line("train", "train", view(*(x / 32 for x in range(25)))),
            Line("fresh", "fresh", view(*[0.9] * 25)),
            Line("running", "running", view(*[0.1] * 24, NAN)),
        ]
        assert axes(lines, marks=[Mark(8, "epoch 1")]) == [
            " 1.0 ┤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤       0.900 fresh",
            "     │               ⣀⡠⠔⠒       0.750 train",
            " 0.5 ┤          ⣀⠤⠒⠒⠉          ",
            "     │    ⢀⣀⠤⠔⠊⠉               ",
            " 0.0 ┤⣒⠶⠒⠚⠓⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒×         nan running",
            "      0     ▲ epoch 1        32 updates",
        ]

    def test_a_line_and_its_name_share_a_role(self) -> None:
        picture = chart(
            [Line("a", "good", view(1.0))], width=46, height=3, x_low=0, x_high=32, y=UNIT
        )
        assert picture[0][1] == ("⠁", "good")
        assert picture[0][-1] == (" 1.000 a", "good")

    def test_names_of_lines_that_meet_are_moved_apart(self) -> None:
        lines = [Line(name, "", view(0.5, 0.5)) for name in "abc"]
        names = ["", "", "0.500 a", "0.500 b", "0.500 c"]
        assert [row[32:] for row in axes(lines)[:-1]] == names

    def test_a_line_without_points_is_named_too(self) -> None:
        assert axes([Line("fresh", "", view())])[4][31:] == "     – fresh"

    def test_ghosts_lose_their_names_first(self) -> None:
        lines = [Line("old", "", view(1.0), ghost=True)]
        lines += [Line(f"line {n}", "", view(0.0)) for n in range(5)]
        assert not any("old" in row for row in axes(lines))

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (0.0004, "0.000"),
            (9.9999, "10.00"),
            (123.456, "123.5"),
            (12345.6, "12346"),
            (2e20, " 2e20"),
        ],
    )
    def test_values_keep_to_five_characters(self, value: float, written: str) -> None:
        assert any(row.endswith(f" {written} a") for row in axes([Line("a", "", view(value))]))

    @pytest.mark.parametrize(
        ("marks", "below"),
        [
            ([], "      0          16          32 updates"),
            ([Mark(31, "late")], "      0          16     late ▲  updates"),
            ([Mark(40, "out of sight")], "      0          16          32 updates"),
            (
                [Mark(10, "no room for this"), Mark(12, "later")],
                "      0      ▲ ▲ later       32 updates",
            ),
            ([Mark(16, "left"), Mark(16, "right")], "      0      left ▲ right    32 updates"),
        ],
    )
    def test_marks_are_named_where_there_is_room_the_latest_first(
        self, marks: list[Mark], below: str
    ) -> None:
        assert axes([], marks=marks)[-1] == below

    def test_a_logarithmic_axis_counts_decades(self) -> None:
        rows = axes([], y=YRange(1e-4, 1e2, log=True))
        assert [row[:6] for row in rows[:-1]] == [" 100 ┤", "     │", " 0.1 ┤", "     │", "1e-4 ┤"]

    def test_updates_are_counted_in_full(self) -> None:
        below = text(chart([], width=60, height=2, x_low=0, x_high=grown(2_000_000), y=UNIT))[-1]
        assert below.split() == ["0", "1048576", "2097152", "updates"]

    def test_too_small_a_place_draws_nothing(self) -> None:
        assert chart([], width=20, height=10, x_low=0, x_high=32, y=UNIT) == []
        assert chart([], width=80, height=1, x_low=0, x_high=32, y=UNIT) == []


class TestAxes:
    def test_x_grows_by_doubling(self) -> None:
        assert [grown(x) for x in (0, 1, 32, 33, 64, 65, 100_000)] == [
            32, 32, 32, 64, 64, 128, 131_072,
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("low", "high", "expected"),
        [
            (0.013, 0.97, (0, 1)),
            (-3, 7, (-5, 10)),
            (99, 101, (99, 101)),
            (0, 0, (-1, 1)),
            (0.3, 0.3, (0.26, 0.34)),
            (-1e308, 1e308, (-1e99, 1e99)),
        ],
    )
    def test_a_range_is_round(self, low: float, high: float, expected: tuple[float, float]) -> None:
        y = settled(None, low, high)
        assert (y.low, y.high) == pytest.approx(expected)

    def test_a_logarithmic_range_is_whole_decades(self) -> None:
        assert settled(None, 0.02, 3, log=True) == YRange(0.01, 10, log=True)
        assert settled(None, 1, 1, log=True) == YRange(1, 10, log=True)
        assert settled(None, 1e-320, 1e308, log=True) == YRange(1e-99, 1e99, log=True)

    def test_a_range_is_kept_until_values_leave_it(self) -> None:
        y = settled(None, 0, 1)
        assert settled(y, 0.2, 0.7) is y
        assert settled(y, 0.2, 1.1) == YRange(0, 1.5)

    def test_a_range_is_kept_until_a_quarter_would_do(self) -> None:
        y = settled(None, 0, 1)
        assert settled(y, 0, 0.3) is y
        assert settled(y, 0, 0.2) == YRange(0, 0.2)

    def test_a_range_without_values_is_the_previous_or_a_plain_one(self) -> None:
        assert settled(None, NAN, NAN) == UNIT
        assert settled(None, NAN, NAN, log=True) == YRange(0.1, 10, log=True)
        assert settled(YRange(2, 3), NAN, NAN) == YRange(2, 3)

    def test_the_extent_is_of_finite_values_in_sight(self) -> None:
        views = [view(9, 1, NAN, 3), view()]
        assert extent(views, 1, 3) == (1, 3)
        assert extent([view(-1, 0, 2, 5)], 0, 9, log=True) == (2, 5)
        assert all(map(math.isnan, extent([], 0, 9)))

    @pytest.mark.parametrize(
        ("y", "most", "expected"),
        [
            (UNIT, 3, ["0.0", "0.5", "1.0"]),
            (UNIT, 10, [f"{n / 10:.1f}" for n in range(11)]),
            (YRange(0.26, 0.34), 3, ["0.26", "0.34"]),
            (YRange(0, 1_000_000), 2, ["0e0", "5e5", "1e6"]),
            (YRange(1e-4, 1e4, log=True), 4, ["1e-4", "0.01", "1", "100", "1e4"]),
        ],
    )
    def test_ticks(self, y: YRange, most: int, expected: list[str]) -> None:
        assert [written for _, written in y.ticks(most)] == expected


def test_spread_gives_each_a_row_near_the_wanted_one() -> None:
    assert spread([0, 0, 5, 5, 5], rows=6) == [0, 1, 3, 4, 5]
    assert spread([3, 3, 3], rows=4) == [1, 2, 3]
    assert spread([2, 0], rows=4) == [2, 0]


def test_a_sparkline_shows_holes_for_what_is_not_finite() -> None:
    assert sparkline([1, 2, 3, NAN, 8], 8) == "▁▂▃·█   "
    assert sparkline([9, 9, 0, 1], 2) == "▁█"
    assert sparkline([2, 2, math.inf], 3) == "▄▄·"
    assert sparkline([NAN, math.inf], 3) == "·· "
    assert sparkline([], 2) == "  "


def test_a_bar_counts_eighths() -> None:
    assert [bar(fraction, 4) for fraction in (0, 1 / 32, 1 / 3, 0.5, 1, 2, -1, NAN)] == [
        "    ", "▏   ", "█▍  ", "██  ", "████", "████", "    ", "·   ",
    ]  # fmt: skip
