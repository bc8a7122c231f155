"""Charts as literal rows of text."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from bntui.core.config import RunConfig
from bntui.core.scales import UNIT, YRange, extent, grown, settled
from bntui.core.series import Series, SeriesView, value_at
from bntui.core.snapshot import Mark, Snapshot
from bntui.ui.drawing.axes import AXIS, position, x_ticks
from bntui.ui.drawing.canvas import Picture
from bntui.ui.drawing.charts import bar, chart, position_at, sparkline
from bntui.ui.drawing.curves import curves
from bntui.ui.drawing.legend import LEGEND, leftover, spread
from bntui.ui.drawing.marks import Flag, flags, merged
from bntui.ui.drawing.plot import Line, plot
from bntui.ui.drawing.view import Axis, View
from bntui.ui.terminal.glyphs import CELLS, DOTS, Glyphs, ascii_only
from tests.ui.scripted import history, mid_run

NAN = math.nan


def view(*values: float, capacity: int = 1024) -> SeriesView:
    series = Series(capacity)
    for x, value in enumerate(values):
        series.append(x, value)
    return series.view()


def text(picture: Sequence[Sequence[tuple[str, str]]]) -> list[str]:
    return ["".join(characters for characters, _ in row) for row in picture]


def draw(
    *values: float,
    width: int,
    x_high: float,
    x_low: float = 0,
    y: YRange = UNIT,
    cursor: float | None = None,
    glyphs: Glyphs = Glyphs.BRAILLE,
) -> list[str]:
    line = Line("a", "a", view(*values))
    picture = plot(
        [line], width=width, height=3, x_low=x_low, x_high=x_high, y=y, cursor=cursor, glyphs=glyphs
    )
    return text(picture)


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


class TestPlot:
    def test_a_rising_line_joins_sparse_points(self) -> None:
        assert draw(0, 1, width=8, x_high=1) == [
            "     ⢀⠔⠊",
            "  ⢀⡠⠊⠁  ",
            "⡠⠔⠁     ",
        ]

    @pytest.mark.parametrize(
        ("glyphs", "rows"),
        [
            (Glyphs.BRAILLE, ["    ⡄⠁⠁⠁", "    ⠃   ", "⡀⡀⡀⡄    "]),
            (Glyphs.ASCII, ["    a a ", "        ", "a a     "]),
        ],
    )
    def test_of_a_line_only_some_dots_may_be_drawn(self, glyphs: Glyphs, rows: list[str]) -> None:
        values = view(0, 0, 0, 0, 1, 1, 1, 1)
        line = Line("a", "a", values, every=2)
        picture = plot([line], width=8, height=3, x_low=0, x_high=7, y=UNIT, glyphs=glyphs)
        assert text(picture) == rows

    def test_a_step_is_joined_upright(self) -> None:
        assert draw(0, 0, 1, 1, width=6, x_high=3) == [
            "   ⡜⠉⠉",
            "  ⢠⠃  ",
            "⣀⣀⡎   ",
        ]

    def test_one_bucket_of_many_in_a_column_survives(self) -> None:
        values = [0.5] * 1600
        values[801] = 1.0
        line = Line("a", "a", view(*values, capacity=64))
        assert text(plot([line], width=10, height=3, x_low=0, x_high=1599, y=UNIT)) == [
            "     ⡇    ",
            "⠒⠒⠒⠒⠒⠓⠒⠒⠒⠒",
            "          ",
        ]

    def test_a_spike_between_two_columns_survives(self) -> None:
        values = [0.5] * 100
        values[52] = 0.0  # columns 0 to 7 lie 14.1 updates apart
        assert draw(*values, width=4, x_high=99) == [
            "    ",
            "⠒⠒⡖⠒",
            "  ⡇ ",
        ]

    def test_a_nan_leaves_a_gap_and_a_mark(self) -> None:
        assert draw(0.5, 0.5, 0.5, NAN, 0.5, 0.5, 0.5, width=7, x_high=6) == [
            "       ",
            "⠒⠒⠂ ⠐⠒⠒",
            "   ×   ",
        ]

    def test_a_diverged_tail_is_marks(self) -> None:
        line = Line("a", "a", view(0.5, 0.8, math.inf, NAN, NAN))
        picture = plot([line], width=7, height=3, x_low=0, x_high=8, y=UNIT)
        assert text(picture) == [
            "⢀⠄     ",
            "⠃      ",
            " ×××   ",
        ]
        assert picture[2] == [(" ", ""), ("×××", "bad"), ("   ", "")]

    def test_one_point_is_one_dot(self) -> None:
        assert draw(0.5, width=4, x_high=4) == ["    ", "⠂   ", "    "]

    def test_no_point_is_an_empty_plot(self) -> None:
        assert draw(width=4, x_high=4) == ["    "] * 3

    def test_nothing_but_nan_is_a_mark(self) -> None:
        assert draw(NAN, width=4, x_high=4) == ["    ", "    ", "×   "]

    def test_equal_values_are_a_flat_line(self) -> None:
        assert draw(0.5, 0.5, 0.5, width=4, x_high=2) == ["    ", "⠒⠒⠒⠒", "    "]

    def test_a_zoomed_line_comes_in_and_goes_out_at_the_edges(self) -> None:
        assert draw(0, 0.25, 0.5, 0.75, 1, width=8, x_low=1.5, x_high=2.5) == [
            "        ",
            "⣀⡠⠤⠤⠒⠒⠊⠉",
            "        ",
        ]

    def test_powers_of_ten_rise_straight_on_a_logarithmic_axis(self) -> None:
        thousand = YRange(1, 1000, log=True)
        straight = draw(0, 1, width=8, x_high=1)
        assert draw(1, 10, 100, 1000, width=8, x_high=3, y=thousand) == straight

    def test_what_has_no_logarithm_lies_at_the_bottom(self) -> None:
        assert draw(1, 10, 100, 0, width=8, x_high=3, y=YRange(1, 1000, log=True)) == [
            "        ",
            "  ⢀⡠⠊⠑⡄ ",
            "⡠⠔⠁   ⠈⢆",
        ]

    def test_cells_are_shared_and_ghosts_lie_below(self) -> None:
        lines = [Line("up", "up", view(0, 1)), Line("down", "down", view(1, 0), ghost=True)]
        assert plot(lines, width=4, height=3, x_low=0, x_high=1, y=UNIT) == [
            [("⠱⡀", "down"), ("⢀⠎", "up")],
            [(" ", ""), ("⡸⢇", "up"), (" ", "")],
            [("⡔⠁", "up"), ("⠈⢢", "down")],
        ]

    def test_a_crosshair_keeps_to_empty_cells(self) -> None:
        assert draw(0, 1, width=8, x_high=1, cursor=0.5) == [
            "    │⢀⠔⠊",
            "  ⢀⡠⠊⠁  ",
            "⡠⠔⠁ │   ",
        ]

    def test_a_crosshair_is_faint_and_changes_one_column(self) -> None:
        line = Line("a", "a", view(0.5, 0.5))
        cells = [
            plot([line], width=4, height=2, x_low=0, x_high=3, y=UNIT, cursor=cursor)
            for cursor in (None, 3.0)
        ]
        assert cells == [
            [[("⣀⡀", "a"), ("  ", "")], [("    ", "")]],
            [[("⣀⡀", "a"), (" ", ""), ("│", "faint")], [("   ", ""), ("│", "faint")]],
        ]

    def test_a_crosshair_out_of_sight_is_not_drawn(self) -> None:
        assert draw(width=4, x_high=4, cursor=5) == ["    "] * 3

    def test_blocks_hold_four_dots(self) -> None:
        values = (0, 0.25, 0.5, 0.75, 1)
        assert draw(*values, width=8, x_high=4, cursor=0, glyphs=Glyphs.BLOCKS) == [
            "│    ▗▄▀",
            "│ ▗▄▞▘  ",
            "▄▀▘     ",
        ]

    def test_in_ascii_each_line_is_its_own_letter(self) -> None:
        lines = [
            Line("", "train ghost", view(0.5, 0.5), ghost=True),
            Line("was running", "running ghost", view(0, 0), ghost=True),
            Line("running", "running", view(0, 1)),
            Line("train", "train", view(1, 1)),
        ]
        picture = plot(
            lines, width=8, height=5, x_low=0, x_high=1, y=UNIT, glyphs=Glyphs.ASCII, cursor=0.5
        )
        assert text(picture) == [
            "tttttttt",
            "    │rr ",
            "...rr...",
            " rr │   ",
            "rRRRRRRR",
        ]
        assert [ascii_only(row) for row in text(picture)][1] == "    |rr "

    @pytest.mark.parametrize("glyphs", [Glyphs.BRAILLE, Glyphs.BLOCKS])
    def test_every_pattern_of_dots_has_a_character(self, glyphs: Glyphs) -> None:
        across, up = DOTS[glyphs]
        assert len(set(CELLS[glyphs])) == len(CELLS[glyphs]) == 2 ** (across * up)


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


class TestMarks:
    @pytest.mark.parametrize(
        ("marks", "expected"),
        [
            (
                [Mark(90, "momentum 0.99→0.98"), Mark(97, "momentum 0.98→0.9")],
                [Mark(90, "momentum 0.99→0.9")],
            ),
            (
                [Mark(0, "lr 1→2"), Mark(12, "lr 2→3"), Mark(24, "lr 3→4"), Mark(37, "lr 4→5")],
                [Mark(0, "lr 1→4"), Mark(37, "lr 4→5")],
            ),
            (
                [Mark(1, "lr 1→2"), Mark(2, "momentum 0.99→0.9"), Mark(3, "lr 2→3")],
                [Mark(1, "lr 1→3"), Mark(2, "momentum 0.99→0.9")],
            ),
            ([Mark(1, "lr 1→2"), Mark(2, "lr 2→1")],) * 2,
            ([Mark(1, "lr 1→2"), Mark(2, "lr 3→4")],) * 2,
            ([Mark(1, "recalibrated"), Mark(2, "recalibrated"), Mark(3, "diverged")],) * 2,
        ],
    )
    def test_one_turn_of_a_knob_is_one_mark(self, marks: list[Mark], expected: list[Mark]) -> None:
        assert merged(marks) == expected

    def test_marks_stand_where_the_axis_has_their_update(self) -> None:
        clock = history([256 * update for update in range(1, 20)])
        assert flags([Mark(10, "lr 1→2"), Mark(11, "diverged")], clock) == [
            Flag(2560, "lr 1→2"),
            Flag(2816, "diverged", "×", "bad"),
        ]


class TestCurves:
    @staticmethod
    def run() -> Snapshot:
        snapshot = mid_run(RunConfig())
        extra = {
            "smooth_acc": history([0.5] * 97),
            "images": history([256 * update for update in range(1, 98)]),
        }
        return mid_run(RunConfig(), series={**snapshot.series, **extra})

    def test_three_lines_of_a_run(self) -> None:
        run = self.run()
        lines = curves("loss", run, View())
        assert [line.label for line in lines] == ["train", "fresh", "running"]
        names = ("train_loss", "fresh_loss", "val_loss")
        assert [line.view for line in lines] == [run.series[name] for name in names]

    def test_a_run_without_data_has_them_empty(self) -> None:
        assert [len(line.view) for line in curves("acc", Snapshot(), View())] == [0, 0, 0]

    def test_smooth_puts_the_raw_line_behind(self) -> None:
        run = self.run()
        raw, smooth, *_ = curves("acc", run, View(smooth=True))
        assert (raw.label, raw.style, raw.ghost) == ("", "train ghost", True)
        assert raw.view is run.series["train_acc"]
        assert (smooth.label, smooth.style) == ("train", "train")
        assert smooth.view is run.series["smooth_acc"]

    def test_ghosts_are_named_and_have_clocks_of_their_own(self) -> None:
        slow = mid_run(RunConfig())
        slow = mid_run(RunConfig(), series={**slow.series, "images": history([50], every=97)})
        lines = curves("acc", self.run(), View(axis=Axis.IMAGES), [("was", slow), ("pin", slow)])
        assert [(line.label, line.style) for line in lines[:4]] == [
            ("was fresh", "fresh ghost"),
            ("was running", "running ghost"),
            ("pin fresh", "fresh ghost"),
            ("pin running", "running ghost"),
        ]
        assert lines[1].view.x[-1] == pytest.approx(50 * 95 / 97)
        assert lines[-1].view.x[-1] == 256 * 95
        assert lines[-1].view.last[-1] == 0.114


class TestAscii:
    def test_a_character_stands_for_a_character(self) -> None:
        assert ascii_only("│┤─▲×√σ◂▸→·…‖▶■○÷") == "|+-^xvs<>>..|>#o/"
        assert ascii_only("┌╮├┼━┃") == "++++-|"
        assert ascii_only("▁▂▃▄▅▆▇█") == "_:-=+*%#"
        assert ascii_only("██▍ ░▒▓█ ⣿⠀") == "##- .+%# * "
        assert ascii_only("é²漢 – “ok”") == 'e2? - "ok"'
        assert ascii_only("plain") == "plain"


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
        assert settled(YRange(2, 3), NAN, NAN, log=True) == YRange(0.1, 10, log=True)

    def test_the_extent_is_of_finite_values_in_sight(self) -> None:
        views = [view(9, 1, NAN, 3), view()]
        assert extent(views, 1, 3) == (1, 3)
        assert extent([view(-1, 0, 2, 5)], 0, 9, log=True) == (2, 5)
        assert extent([view(1, 7, 3)], 0.2, 0.8) == (1, 7)  # it passes through
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
