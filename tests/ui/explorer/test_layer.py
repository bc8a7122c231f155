"""One layer from near: literal rows of its channels, and the screen that follows the run."""

import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from bntui.core.config import RunConfig
from bntui.core.measured import (
    ChannelExchange,
    ChannelExchanges,
    Channels,
    Difference,
    Exchange,
    Exchanges,
    LayerDrift,
    LayersWaiting,
    Score,
)
from bntui.core.snapshot import Snapshot
from bntui.ui.drawing.canvas import Picture
from bntui.ui.drawing.channel_strips import parts, split, strip, worst
from bntui.ui.explorer.channel import ChannelScreen
from bntui.ui.explorer.layer import Layer, LayerScreen
from bntui.ui.explorer.layer_picture import WORST_WIDTH, history, outlook
from bntui.ui.terminal.diff_output import DiffApp
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.widgets.keyline import KeyLine
from tests.ui import scripted
from tests.ui.scripted import NAN, difference, diverged, layers, mid_run

INF = math.inf
Row = npt.NDArray[np.float32]


def row(*values: float) -> Row:
    return np.array(values, dtype=np.float32)


def channels(
    mean: Row, ratio: Row | None = None, *, start: float = 1.0, quiet: Row | None = None
) -> Channels:
    """Return channels of which the start value makes the share `start` of every error."""
    ratio = np.zeros_like(mean) if ratio is None else ratio
    with np.errstate(all="ignore"):
        off: Row = np.expm1(ratio).astype(np.float32)
    return Channels(
        mean_gap=mean,
        log_var_ratio=ratio,
        mean_start=start * mean,
        variance_start=start * off,
        variance_rest=(1 - start) * off,
        quiet=np.zeros_like(mean) if quiet is None else quiet,
    )


def text(picture: Picture) -> list[str]:
    return ["".join(characters for characters, _ in row).rstrip() for row in picture]


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


class TestOutlook:
    @pytest.mark.parametrize(
        ("alone", "ahead", "words"),
        [
            (difference(-0.8, 2.75), 265.0, ": sound in about 265 updates, if weights stood still"),
            (difference(-0.8, 2.75), math.inf, ": waiting alone would not heal it"),
            (difference(0.0), 40.0, ": no harm"),
        ],
    )
    def test_says_what_the_layer_does_alone_and_when_it_is_sound(
        self, alone: Difference, ahead: float, words: str
    ) -> None:
        layer = layers()[0]
        score = Score(1.0, 0.5, (1,))
        exchange = Exchange(layer.name, alone, difference(0.0))
        snapshot = Snapshot(
            exchanges=Exchanges(0, 200, score, score, alone, (exchange,)),
            layers_waiting=LayersWaiting(0, 200, ((layer.name, ahead),)),
        )
        told = (
            f"alone {alone.accuracy:+.3f} accuracy, {alone.loss:+.2f} loss (200 images, update 0)"
        )
        assert outlook(layer, snapshot) == told + words

    def test_says_what_is_not_measured_and_what_is_not_finite(self) -> None:
        layer = layers()[0]
        unknown = "what it alone does to validation is not measured yet"
        assert outlook(layer, Snapshot()) == unknown
        broken = replace(layer, non_finite=8)
        assert outlook(broken, Snapshot()) == "not finite: statistics that are NaN stay NaN"


class TestHistory:
    def test_two_charts_with_their_titles(self) -> None:
        series = {
            "gap:conv1_bn": scripted.history([0.0, 0.5, 1.0], every=10),
            "drift:conv1_bn": scripted.history([1.0, NAN, 0.0], every=10),
        }
        shot = mid_run(RunConfig(), update=30, images=30 * 256, epochs=2, series=series)
        assert text(history(shot, "conv1_bn", 30, 8)) == [
            "─ mean gap, σ ────────────────",
            "   1 ┤              ⢀⣀⣀⠤⠤⠒⠒⠉⠁",
            "   0 ┤       ⢀⡠⠤⠔⠒⠒⠉⠁",
            "─ variances, |ln ratio| ──────",
            "   1 ┤       ⠈",
            "     │",
            "   0 ┤              ×       ⡀",
            "      0       updates       32",
        ]
        assert text(history(shot, "conv1_bn", 30, 5))[0] == "─ variances, |ln ratio| ──────"

    def test_before_any_history(self) -> None:
        shot = mid_run(RunConfig(), series={})
        assert text(history(shot, "conv1_bn", 30, 8))[0].startswith("─ mean gap, σ ──")


def detailed(number: int, layer: LayerDrift) -> LayerDrift:
    values = np.linspace(-2, number + 1, layer.channels).astype(np.float32)
    return replace(layer, detail=channels(values, values))


@dataclass
class Followed:
    snapshot: Snapshot
    asked: int = 0

    def ask(self) -> None:
        self.asked += 1


def followed(**changes: Any) -> Followed:
    shown = tuple(detailed(number, layer) for number, layer in enumerate(layers()))
    measured = replace(scripted.validation(), layers=shown)
    config = changes.pop("config", RunConfig())
    return Followed(mid_run(config, **{"validation": measured} | changes))


class LayerApp(DiffApp):
    glyphs = Glyphs.BRAILLE
    closed: int | None = None


@asynccontextmanager
async def opened(
    run: Followed, index: int = 0, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Pilot[None]]:
    app = LayerApp()
    async with app.run_test(size=size) as pilot:
        screen = LayerScreen(run.snapshot, run.ask, index)
        await app.push_screen(screen, lambda closed: setattr(app, "closed", closed))
        await pilot.pause(0)
        yield pilot


def lines(pilot: Pilot[None]) -> list[str]:
    screen = pilot.app.screen
    assert isinstance(screen, LayerScreen)
    shown = screen.query_one(Layer)
    return [shown.render_line(y).text.rstrip() for y in range(shown.size.height)]


def look(pilot: Pilot[None], run: Followed) -> None:
    """Have the screen show the run's latest snapshot."""
    screen = pilot.app.screen
    assert isinstance(screen, LayerScreen)
    screen.show(run.snapshot)


def footer(pilot: Pilot[None]) -> str:
    return " ".join(pilot.app.screen.query_one(KeyLine).render_line(0).text.split())


FOOTER = "← → layer ↑ ↓ channel enter numbers w measure again ? help esc close"


class TestScreen:
    async def test_80_by_24_has_everything(self) -> None:
        async with opened(followed()) as pilot:
            shown = lines(pilot)
            assert shown[:5] == [
                " conv1_bn   layer 1 of 5, update 97   –",
                " 8 channels: 0 quiet, 0 not finite · 784 × 256 = 200,704 values each per batch",
                " momentum 0.99 · 38 % of the start value left",
                " what it alone does to validation is not measured yet",
                " output error 0.60 alone · network error 80 %, all earlier layers stale too",
            ]
            assert [number for number, row in enumerate(shown) if row.startswith("─")] == [5, 9, 13]
            assert shown[14].startswith("    0: mean 2.0 σ too low, variance ÷7.39")
            assert " mean 0.93 σ = 0.93 + 0.00" in shown[14]
            assert len(shown) == 21
            assert all(shown)
            assert shown[-1].split()[-1] == "158"  # the axis of updates, below the last chart
            assert footer(pilot) == FOOTER

    async def test_120_by_40_fills_its_room(self) -> None:
        async with opened(followed(), 3, (120, 40)) as pilot:
            shown = lines(pilot)
            assert sum(bool(re.match(r" +\d+: mean ", row)) for row in shown) == 17
            assert "784 channels" in shown[1]
            assert "7 channels a bar" in shown[5]
            assert len(shown) == 37
            assert shown[-1].split()[-1] == "158"
            assert footer(pilot) == FOOTER

    async def test_60_by_16_has_all_words_and_the_worst_channels(self) -> None:
        async with opened(followed(), 0, (60, 16)) as pilot:
            shown = lines(pilot)
            words = " ".join(" ".join(shown).split())
            for whole in (
                "200,704 values each per batch",
                "what it alone does to validation is not measured yet",
                "network error 80 %, all earlier layers stale too",
                "0: mean 2.0 σ too low, variance ÷7.39",
            ):
                assert whole in words
            assert len(shown) == 13
            assert all(shown)
            assert footer(pilot) == FOOTER.replace("w measure again ", "")

    async def test_left_and_right_go_around(self) -> None:
        async with opened(followed(), 4) as pilot:
            assert lines(pilot)[0].startswith(" dense1_bn   layer 5 of 5")
            await pilot.press("right")
            assert lines(pilot)[0].startswith(" conv1_bn   layer 1 of 5")
            await pilot.press("left", "left")
            assert lines(pilot)[0].startswith(" flatten_bn   layer 4 of 5")

    @pytest.mark.parametrize("key", ["escape", "q"])
    async def test_it_closes_with_the_layer_shown_last(self, key: str) -> None:
        async with opened(followed(), 1) as pilot:
            await pilot.press("right", key)
            assert not isinstance(pilot.app.screen, LayerScreen)
            assert pilot.app.closed == 2  # type: ignore[attr-defined]

    async def test_keys_mouse_and_wheel_choose_a_channel_and_open_its_arithmetic(self) -> None:
        def chosen() -> str:
            screen = pilot.app.screen.query_one(Layer)
            rows = (screen._picture[y] for y in range(screen.size.height))
            return next(text.strip(" :") for row in rows for text, role in row if role == "chosen")

        async with opened(followed(), 0) as pilot:
            shown = lines(pilot)
            first = next(y for y, row in enumerate(shown) if "the worst channels" in row) + 1
            order = [row.split(":")[0].strip() for row in shown[first : first + 4]]
            assert chosen() == order[0]
            await pilot.press("down", "down", "up")
            assert chosen() == order[1]
            await pilot._post_mouse_events([MouseScrollDown], Layer, offset=(5, 5))
            assert chosen() == order[2]
            await pilot._post_mouse_events([MouseScrollUp], Layer, offset=(5, 5))
            assert chosen() == order[1]
            await pilot.click(Layer, offset=(3, first + 3))
            assert chosen() == order[3]
            await pilot.click(Layer, offset=(70, first + 1))  # the split
            assert isinstance(pilot.app.screen, LayerScreen)
            await pilot.click(Layer, offset=(3, first + 3))
            opened_screen = pilot.app.screen
            assert isinstance(opened_screen, ChannelScreen)
            assert str(opened_screen.channel) == order[3]
            await pilot.press("escape", "enter")
            assert isinstance(pilot.app.screen, ChannelScreen)

    async def test_it_follows_the_run(self) -> None:
        run = followed()
        async with opened(run) as pilot:
            lines(pilot)
            validation = run.snapshot.validation
            assert validation
            run.snapshot = replace(
                run.snapshot, update=120, validation=replace(validation, update=118)
            )
            look(pilot, run)
            assert "update 118" in lines(pilot)[0]

    async def test_it_asks_for_the_channels_as_it_opens_and_on_w(self) -> None:
        run = followed()
        async with opened(run) as pilot:
            assert run.asked == 1
            await pilot.press("w")
            assert run.asked == 2
            parts = (
                ChannelExchange("conv1_bn", 2, False, difference(-0.3, 1.234)),
                ChannelExchange("conv1_bn", 3, True, difference(-0.25, 0.5)),
                ChannelExchange("conv2_bn", 4, False, difference(-0.9, 9.0)),
            )
            found = ChannelExchanges(97, 1000, parts)
            run.snapshot = replace(run.snapshot, channel_exchanges=found)
            look(pilot, run)
            assert lines(pilot)[4:6] == [
                " the 2 worst channels alone -0.300 ±0.010 accuracy, +1.23 ±0.01 loss",
                " the 3 with σ² < 10ε alone -0.250 ±0.010 accuracy, +0.50 ±0.01 loss (1,000",
            ]
            assert "update 97)" in lines(pilot)[6]
            await pilot.press("left")  # of flatten_bn nothing was measured
            assert not any("worst channels alone" in row for row in lines(pilot))

    async def test_before_the_first_validation(self) -> None:
        async with opened(followed(validation=None)) as pilot:
            assert lines(pilot)[0] == " waiting for the first validation"
            await pilot.press("right")
            assert lines(pilot)[0] == " waiting for the first validation"

    async def test_without_batch_norm(self) -> None:
        nothing = scripted.validation(with_bn=False)
        async with opened(followed(validation=nothing)) as pilot:
            assert lines(pilot)[0] == " this network has no batch norm, so nothing can drift"
            await pilot.press("left")

    @pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16), (20, 6), (3, 3)])
    async def test_a_diverged_run_and_any_size(self, size: tuple[int, int]) -> None:
        shot = diverged(RunConfig())
        assert shot.validation
        broken = tuple(
            replace(layer, detail=channels(np.full(layer.channels, NAN, dtype=np.float32)))
            for layer in shot.validation.layers
        )
        run = Followed(replace(shot, validation=replace(shot.validation, layers=broken)))
        async with opened(run, size=size) as pilot:
            shown = lines(pilot)
            assert all(len(row) <= size[0] for row in shown)
            if size == (80, 24):
                assert shown[0].startswith(" conv1_bn   layer 1 of 5, update 97   × NaN")
                assert shown[3] == " not finite: statistics that are NaN stay NaN"
                assert any("    0: not finite" in row for row in shown)

    async def test_in_ascii(self) -> None:
        async with opened(followed()) as pilot:
            pilot.app.glyphs = Glyphs.ASCII  # type: ignore[attr-defined]
            await pilot.press("right")
            assert "".join(lines(pilot)).isascii()
