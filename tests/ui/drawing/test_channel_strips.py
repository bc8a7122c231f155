"""Strips of a layer's channels as literal rows."""

import math
from typing import Any

import numpy as np
import pytest

from bntui.ui.drawing.channel_strips import parts, split, strip, worst
from bntui.ui.explorer.layer_picture import WORST_WIDTH
from bntui.ui.terminal.glyphs import Glyphs
from tests.ui.drawing.channel_rows import INF, Row, channels, row, text
from tests.ui.scripted import NAN


def means(values: Row, *, width: int = 40, height: int = 7, **options: Any) -> list[str]:
    glyphs = options.pop("glyphs", Glyphs.BRAILLE)
    return text(strip("mean", values, channels(values, **options), width, height, glyphs))


def ratios(*values: float, width: int = 40, height: int = 7) -> list[str]:
    ratio = row(*values)
    return text(strip("variance", ratio, channels(0 * ratio, ratio), width, height))


RULE = "─ running mean − fresh mean, in σ ──────"


class TestStrip:
    @pytest.mark.parametrize(
        ("width", "title"),
        [
            (80, "─ running mean − fresh mean, in σ: a channel a bar, 0 to 5 "),
            (58, "─ running mean − fresh mean, in σ: a channel a bar ─"),
            (50, "─ running mean − fresh mean, in σ ─"),
        ],
    )
    def test_of_a_long_title_whole_parts_are_left_out(self, width: int, title: str) -> None:
        top = means(row(2, 1, 0.5, 0, -0.5, -2), width=width)[0]
        assert top.startswith(title)
        assert len(top) == width

    def test_the_chosen_channel_is_marked_on_the_line(self) -> None:
        values = row(2, 1, 0.5, 0, -0.5, -2)
        marked = text(strip("mean", values, channels(values), 40, 7, chosen=3))
        assert marked[3] == "   0 ┤" + "─" * 15 + "◆" + "─" * 14
        many = np.zeros(100, dtype=np.float32)
        shared = text(strip("mean", many, channels(many), 40, 7, chosen=50))
        assert shared[3] == "   0 ┤" + "─" * 16 + "◆" + "─" * 17

    def test_bars_go_up_and_down_from_zero(self) -> None:
        assert means(row(2, 1, 0.5, 0, -0.5, -2)) == [
            RULE,
            "  +2 ┤⣿⣿⣿⣿",
            "     │⣿⣿⣿⣿ ⣿⣿⣿⣿ ⣤⣤⣤⣤",
            "   0 ┤──────────────────────────────",
            "     │                    ⠛⠛⠛⠛ ⣿⣿⣿⣿",
            "  -2 ┤                         ⣿⣿⣿⣿",
        ]

    def test_a_variance_is_a_ratio(self) -> None:
        assert ratios(math.log(14.2), math.log(2), 0, -math.log(5)) == [
            "─ running / fresh variance ─────────────",
            " ×20 ┤⣶⣶⣶⣶⣶",
            "     │⣿⣿⣿⣿⣿ ⣤⣤⣤⣤⣤",
            "  ×1 ┤────────────────────────",
            "     │                  ⣿⣿⣿⣿⣿",
            " ÷20 ┤",
        ]

    def test_a_variance_that_is_off_beyond_all_bounds_has_a_full_bar(self) -> None:
        picture = ratios(1e30, -1e30, 0.0)
        assert [line[5:].strip() for line in picture[1:]] == [
            "┤⣿⣿⣿⣿⣿",
            "│⣿⣿⣿⣿⣿",
            "┤──────────────────",
            "│      ⣿⣿⣿⣿⣿",
            "┤      ⣿⣿⣿⣿⣿",
        ]

    def test_one_column_a_channel_where_they_just_fit(self) -> None:
        assert means(row(*[1] * 20, *[-1] * 14), height=4) == [
            RULE,
            "  +1 ┤⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿",
            "   0 ┤──────────────────────────────────",
            "  -1 ┤                    ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿",
        ]

    def test_of_several_channels_in_a_bar_the_extreme_is_shown(self) -> None:
        values = np.zeros(100, dtype=np.float32)
        values[[1, 2]] = 0.5, -2  # in one bar: the larger one wins, whatever its sign
        values[50] = 1
        assert means(values) == [
            RULE,
            "  +2 ┤",
            "     │                ⣿",
            "   0 ┤──────────────────────────────────",
            "     │⣿",
            "  -2 ┤⣿",
        ]

    def test_quiet_and_broken_channels_are_marked_on_the_line(self) -> None:
        quiet = row(0, 1, 0, 0, 0, 0)
        assert means(row(1, 1, NAN, INF, 1, 0.001), quiet=quiet) == [
            RULE,
            "  +1 ┤⣿⣿⣿⣿ ⣿⣿⣿⣿           ⣿⣿⣿⣿",
            "     │⣿⣿⣿⣿ ⣿⣿⣿⣿           ⣿⣿⣿⣿ ⣀⣀⣀⣀",
            "   0 ┤─────○────×────×──────────────",
            "     │",
            "  -1 ┤",
        ]

    def test_in_a_bar_one_broken_channel_counts_and_one_quiet_does_not(self) -> None:
        values = np.ones(68, dtype=np.float32)
        values[5] = NAN
        quiet = np.zeros(68, dtype=np.float32)
        quiet[[0, 10, 11]] = 1
        assert means(values, quiet=quiet, height=4)[2] == "   0 ┤──×──○" + "─" * 28

    def test_channel_numbers_where_there_is_room(self) -> None:
        assert means(np.ones(12, dtype=np.float32), width=42, height=8)[-1] == (
            "      0     2     4     6     8     10"
        )
        assert means(np.ones(100, dtype=np.float32), width=40, height=9)[-1] == (
            "      0         30        60        90"
        )

    def test_nothing_but_nan(self) -> None:
        assert means(row(NAN, NAN), height=4) == [
            RULE,
            "+0.5 ┤",
            "   0 ┤×─────×─────",
            "-0.5 ┤",
        ]

    @pytest.mark.parametrize("glyphs", list(Glyphs))
    def test_every_kind_of_glyph(self, glyphs: Glyphs) -> None:
        shown = means(row(1, -1), height=4, glyphs=glyphs)
        bar = {Glyphs.BRAILLE: "⣿", Glyphs.BLOCKS: "█", Glyphs.ASCII: "#"}[glyphs] * 5
        assert shown[1] == f"  +1 ┤{bar}"
        assert shown[3] == f"  -1 ┤      {bar}"

    def test_no_room_is_no_picture(self) -> None:
        assert means(row(1), width=6) == means(row(1), height=3) == []


class TestWorst:
    def test_names_the_furthest_off_in_mean_or_variance(self) -> None:
        shown = channels(row(0.1, 2.4, -3, 0), row(0, math.log(14), 0, -math.log(30)))
        assert text(worst(shown, 50, 11)) == [
            "─ the worst channels " + "─" * 29,
            "    3: mean 0.0 σ too high, variance ÷30",
            "    2: mean 3.0 σ too low, variance ×1",
            "    1: mean 2.4 σ too high, variance ×14",
            "    0: mean 0.1 σ too high, variance ×1",
        ]

    def test_broken_ones_come_first_and_quiet_ones_are_marked(self) -> None:
        shown = channels(row(9, 1, NAN), quiet=row(1, 0, 0))
        assert text(worst(shown, 50, 11)) == [
            "─ the worst channels, ○ quiet " + "─" * 20,
            "    2: not finite",
            "    0: mean 9.0 σ too high, variance ×1 ○",
            "    1: mean 1.0 σ too high, variance ×1",
        ]

    def test_the_longest_text_fits(self) -> None:
        many = np.zeros(3136, dtype=np.float32)
        many[3135] = 11.2
        shown = channels(many, many / 11.2 * math.log(14.2), quiet=np.ones_like(many))
        rows = text(worst(shown, WORST_WIDTH - 1, 3))
        assert rows[1] == " 3135: mean 11.2 σ too high, variance ×14.2 ○"
        assert len(rows[1]) < WORST_WIDTH

    def test_as_many_as_fit_and_the_chosen_one_among_them(self) -> None:
        many = channels(np.linspace(9, 1, 99, dtype=np.float32))
        assert len(worst(many, 50, 30)) == 30
        for chosen in (0, 1, 2, 50, 97, 98):
            rows = worst(many, 60, 4, chosen)
            assert len(rows) == 4
            assert [row[0] for row in rows if row[0][1] == "chosen"] == [
                (f" {chosen:>4}:", "chosen")
            ]
        assert text(worst(many, 60, 4, 50))[0].startswith(
            "─ channels by how far they are off, from place 50 "
        )


class TestSplit:
    def test_start_and_rest_are_the_whole(self) -> None:
        """Against the definition: r − μ = start + rest, channel by channel, along the error."""
        generator = np.random.default_rng(0)
        whole, start = generator.normal(size=(2, 50)).astype(np.float32)
        total, left = split(whole, start)
        _, rest = split(whole, whole - start)
        assert total == pytest.approx(np.abs(whole).mean())
        assert left + rest == pytest.approx(total)

    def test_what_pulls_the_other_way_is_negative(self) -> None:
        shown = channels(row(1, -1), start=1.2)
        assert text(parts(shown, 40))[:3] == [
            "─ █ start + ░ lag and noise " + "─" * 12,
            " mean 1.00 σ = 1.20 − 0.20",
            " " + "█" * 33 + "░" * 5,
        ]

    def test_numbers_add_up_as_written(self) -> None:
        shown = channels(row(0.125), row(math.log(1.115)), start=0.6)
        assert text(parts(shown, 40))[1::2] == [
            " mean 0.12 σ = 0.08 + 0.04",
            " variance 0.12 σ² = 0.07 + 0.05",
        ]
        large = channels(row(0.125), row(math.log(23.86)), start=1.0005)
        assert text(parts(large, 40))[3] == " variance 22.9 σ² = 22.9 + 0.0"

    def test_broken_channels_do_not_count(self) -> None:
        assert split(row(1, 99, NAN), row(0.5, NAN, NAN)) == (1.0, 0.5)
        nothing = split(row(NAN), row(NAN))
        assert all(math.isnan(value) for value in nothing)
        assert text(parts(channels(row(NAN), row(NAN)), 40))[1] == " mean: no channel is finite"

    def test_no_error_at_all(self) -> None:
        assert text(parts(channels(row(0, 0)), 12))[1:3] == [
            " mean 0.00 σ = 0.00 + 0.00",
            " " + "░" * 10,
        ]
