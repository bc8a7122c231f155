"""The screen of one layer, which follows the run."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from bntui.core.config import RunConfig
from bntui.core.measured import ChannelExchange, ChannelExchanges, LayerDrift
from bntui.core.snapshot import Snapshot
from bntui.ui.explorer.channel import ChannelScreen
from bntui.ui.explorer.layer import Layer, LayerScreen
from bntui.ui.terminal.diff_output import DiffApp
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.widgets.keyline import KeyLine
from tests.ui import scripted
from tests.ui.drawing.channel_rows import channels
from tests.ui.scripted import NAN, difference, diverged, layers, mid_run


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
