"""Lines of a chart as literal rows of text."""

import math

import pytest

from bntui.core.scales import UNIT, YRange
from bntui.ui.drawing.plot import Line, plot
from bntui.ui.terminal.glyphs import CELLS, DOTS, Glyphs, ascii_only
from tests.ui.drawing.drawn import NAN, text, view


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
