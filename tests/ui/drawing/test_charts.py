"""Charts as literal rows of text."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from bntui.core.scales import UNIT, YRange, grown, settled
from bntui.core.series import value_at
from bntui.core.snapshot import Mark
from bntui.ui.drawing.axes import AXIS, position, x_ticks
from bntui.ui.drawing.canvas import Picture
from bntui.ui.drawing.charts import bar, chart, position_at, sparkline
from bntui.ui.drawing.legend import LEGEND, leftover, spread
from bntui.ui.drawing.marks import flags
from bntui.ui.drawing.plot import Line
from bntui.ui.drawing.view import Axis
from bntui.ui.terminal.glyphs import ascii_only
from tests.ui.drawing.drawn import NAN, text, view


def drawn(
    lines: Sequence[Line], *, marks: Sequence[Mark] = (), cursor: float | None = None
) -> Picture:
    return chart(
        lines,
        width=52,
        height=6,
        x_low=0,
        x_high=32,
        y=UNIT,
        flags=flags(marks, None),
        cursor=cursor,
    )


def axes(
    lines: Sequence[Line], *, marks: Sequence[Mark] = (), cursor: float | None = None
) -> list[str]:
    return text(drawn(lines, marks=marks, cursor=cursor))


def below(low: float, high: float, axis: Axis = Axis.UPDATES, *, width: int = 87) -> list[str]:
    """Return the words of the x axis."""
    row = chart([], width=width, height=2, x_low=low, x_high=high, y=UNIT, axis=axis)[-1]
    return "".join(characters for characters, _ in row).split()


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
            "      0     ▲ epoch 1           updates",
        ]

    def test_the_crosshair_reads_every_line_and_moves_no_name(self) -> None:
        lines = [
            Line("train", "train", view(*(x / 32 for x in range(25)))),
            Line("was fresh", "fresh ghost", view(*[0.8] * 4, *[0.9] * 21), ghost=True),
            Line("running", "running", view()),
        ]
        assert [row[32:] for row in axes(lines, cursor=3)[:-1]] == [
            "0.800 was fresh",
            "0.094 train",
            "",
            "",
            "    – running",
        ]

    def test_a_line_and_its_name_share_a_role(self) -> None:
        picture = chart(
            [Line("a", "good", view(1.0))], width=49, height=3, x_low=0, x_high=32, y=UNIT
        )
        assert picture[0][1] == ("⠁", "good")
        assert picture[0][-1] == (" 1.000 a", "good")

    def test_names_of_lines_that_meet_are_moved_apart(self) -> None:
        lines = [Line(name, "", view(0.5, 0.5)) for name in "abc"]
        names = ["", "", "0.500 a", "0.500 b", "0.500 c"]
        assert [row[32:] for row in axes(lines)[:-1]] == names

    def test_a_line_without_points_is_named_too(self) -> None:
        assert axes([Line("fresh", "", view())])[4][31:] == "     – fresh"

    def test_a_line_without_a_name_is_drawn_only(self) -> None:
        assert axes([Line("", "train ghost", view(1, 1), ghost=True)])[0] == (" 1.0 ┤⠉⠁" + " " * 23)

    def test_names_as_long_as_bias_corrected_are_whole(self) -> None:
        assert axes([Line("bias-corrected", "", view(1.0))])[0].endswith(" 1.000 bias-corrected")

    def test_where_rows_are_few_each_ghost_has_one(self) -> None:
        lines = [
            Line(f"{run} {name}", f"{name} ghost", view(value), ghost=True)
            for run in ("was", "pin 2")
            for name, value in (("fresh", 0.9), ("running", 0.1))
        ]
        lines += [Line(name, name, view(0.0)) for name in ("train", "fresh", "running")]
        picture = drawn(lines)
        assert text(picture)[0].endswith(" 0.900 0.100 was")
        assert picture[1][-2:] == [(" 0.900", "fresh ghost"), (" 0.100 pin 2", "running ghost")]
        assert leftover(lines, 5, 0) == []
        assert leftover(lines, 4, 0) == ["pin 2 0.900 0.100"]
        assert leftover(lines, 3, -1) == ["was – –", "pin 2 – –"]

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
            ([], "      0             20          updates"),
            ([Mark(31, "late")], "      0             20  late ▲  updates"),
            ([Mark(40, "out of sight")], "      0             20          updates"),
            (
                [Mark(10, "no room for this"), Mark(12, "later")],
                "      0      ▲ ▲ later          updates",
            ),
            ([Mark(16, "left"), Mark(16, "right")], "      0      left ▲ right       updates"),
            ([Mark(25, "lr 1→2"), Mark(25, "diverged")], "      0         diverged ×      updates"),
        ],
    )
    def test_marks_are_named_where_there_is_room_the_latest_first(
        self, marks: list[Mark], below: str
    ) -> None:
        assert axes([], marks=marks)[-1] == below

    def test_divergence_is_drawn_in_the_bad_style(self) -> None:
        below = drawn([], marks=[Mark(10, "diverged"), Mark(10, "lr 1→2")])[-1]
        assert ("×", "bad") in below
        assert ("d", "bad") in below
        assert not any(symbol == "▲" for symbol, _ in below)

    def test_a_logarithmic_axis_counts_decades(self) -> None:
        rows = text(
            chart([], width=52, height=6, x_low=0, x_high=32, y=YRange(1e-4, 1e2, log=True))
        )
        assert [row[:6] for row in rows[:-1]] == [" 100 ┤", "     │", " 0.1 ┤", "     │", "1e-4 ┤"]

    def test_a_column_of_the_plot_has_a_position_and_those_beside_it_have_none(self) -> None:
        width = AXIS + 10 + LEGEND
        places = [position_at(column, width, 20.0, 40.0) for column in range(width)]
        assert places[AXIS : AXIS + 10] == [21, 23, 25, 27, 29, 31, 33, 35, 37, 39]
        assert set(places[:AXIS] + places[AXIS + 10 :]) == {None}

    def test_too_small_a_place_draws_nothing(self) -> None:
        assert chart([], width=20, height=10, x_low=0, x_high=32, y=UNIT) == []
        assert chart([], width=80, height=1, x_low=0, x_high=32, y=UNIT) == []


class TestPositions:
    @pytest.mark.parametrize(
        ("low", "high", "axis", "expected"),
        [
            (0, 32, Axis.UPDATES, "0 10 20 30 updates"),
            (0, 8192, Axis.UPDATES, "0 2000 4000 6000 8000 updates"),
            (0, grown(2_000_000), Axis.UPDATES, "0 0.5M 1M 1.5M 2M updates"),
            (96.3, 104.3, Axis.UPDATES, "98 100 102 104 updates"),
            (0, 32_000, Axis.IMAGES, "0 10k 20k 30k images"),
            (12_000, 13_000, Axis.IMAGES, "12k 12.2k 12.4k 12.6k 12.8k 13k images"),
            (0, 30, Axis.SECONDS, "0 10 s 20 s 30 s time"),
            (0, 120, Axis.SECONDS, "0 30 s 60 s 90 s 120 s time"),
            (0, 480, Axis.SECONDS, "0 2 min 4 min 6 min 8 min time"),
            (0, 30_720, Axis.SECONDS, "0 2 h 4 h 6 h 8 h time"),
            (0, 3_932_160, Axis.SECONDS, "0 240 h 480 h 720 h 960 h time"),
        ],
    )
    def test_numbers_are_round_in_every_unit(
        self, low: float, high: float, axis: Axis, expected: str
    ) -> None:
        assert below(low, high, axis) == expected.split()

    def test_one_update_is_the_least_step(self) -> None:
        assert x_ticks(3.5, 5.5, 10, Axis.UPDATES) == [(4, "4"), (5, "5")]

    @pytest.mark.parametrize(
        ("x", "axis", "expected"),
        [
            (96, Axis.UPDATES, "update 96"),
            (1_234_567, Axis.UPDATES, "update 1,234,567"),
            (800, Axis.IMAGES, "800 images"),
            (24_832, Axis.IMAGES, "24.8k images"),
            (1_500_000, Axis.IMAGES, "1.5M images"),
            (90.25, Axis.SECONDS, "90.25 s"),
            (190, Axis.SECONDS, "3.17 min"),
            (9000, Axis.SECONDS, "2.5 h"),
        ],
    )
    def test_one_position_is_written_with_its_unit(
        self, x: float, axis: Axis, expected: str
    ) -> None:
        assert position(x, axis) == expected

    def test_a_value_is_the_last_at_or_before(self) -> None:
        five = view(0.1, 0.2, 0.3, NAN, 0.5)
        assert [value_at(five, x) for x in (-1, 0, 1.9, 4, 99)] == [None, 0.1, 0.2, 0.5, 0.5]
        assert math.isnan(value_at(five, 3) or 0)
        assert value_at(view(), 3) is None

    def test_a_value_of_a_thinned_series_is_its_buckets_last(self) -> None:
        thinned = view(*range(64), capacity=16)
        assert thinned.x.tolist() == [3, 7, *range(11, 64, 4)]
        assert value_at(thinned, 11) == 11
        assert value_at(thinned, 12) == 11


class TestAscii:
    def test_a_character_stands_for_a_character(self) -> None:
        assert ascii_only("│┤─▲×√σ◂▸→·…‖▶■○÷") == "|+-^xvs<>>..|>#o/"
        assert ascii_only("┌╮├┼━┃") == "++++-|"
        assert ascii_only("▁▂▃▄▅▆▇█") == "_:-=+*%#"
        assert ascii_only("██▍ ░▒▓█ ⣿⠀") == "##- .+%# * "
        assert ascii_only("é²漢 – “ok”") == 'e2? - "ok"'
        assert ascii_only("plain") == "plain"


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


def test_what_is_far_outside_of_a_range_lies_at_its_edges() -> None:
    with np.errstate(all="raise"):
        found = YRange(0, 1e-20).fraction(np.array([-1e300, 0, 1e-20, 1e300]))
    assert found.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("value", [1e308, 1e99, 1e-99, 1e-320, 5e-324])
def test_a_range_is_found_around_values_at_the_edges_of_floats(value: float, log: bool) -> None:
    for low, high in ((value, value), (value, 2 * value), (-value, value), (0.0, value)):
        if log and low <= 0:
            continue
        y = settled(None, low, high, log=log)
        assert y.low < y.high
        assert math.isfinite(y.high - y.low)
        assert len(y.ticks(4)) >= 2
