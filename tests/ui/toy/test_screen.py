"""The toy on the screen: its keys, its clock, its sizes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from textual.pilot import Pilot

from bntui.core.toy import START, Toy, recalibrate, step
from bntui.ui.experiments.list import ExperimentsScreen
from bntui.ui.explorer.screen import Explorer
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.toy.app import ToyApp
from bntui.ui.toy.panels import Ladder
from bntui.ui.toy.screen import ToyScreen
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.words.help_screen import HelpScreen
from tests.ui.drawing.slate import Wire
from tests.ui.experiments.course import experiments
from tests.ui.user import HOPS, screen_text
from tests.ui.user import opened as explorer
from tools.picture_checks import faults

FULL, TABS, SMALL, LARGE = (120, 40), (80, 24), (60, 16), (200, 60)
SIZES = (SMALL, TABS, FULL, LARGE)


@dataclass
class Reader:
    """Somebody at the toy's keyboard, whose clock stands still but for `frames`."""

    app: ToyApp
    pilot: Pilot[None]
    screen: ToyScreen

    @property
    def toy(self) -> Toy:
        return self.screen.now.toy

    @property
    def text(self) -> str:
        return screen_text(self.app)

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.app.simulate_key(key)
            await self.settle()

    async def frames(self, count: int) -> None:
        for _ in range(count):
            self.screen.frame()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(HOPS):
            await self.pilot.pause(0)


@asynccontextmanager
async def opened(size: tuple[int, int] = FULL, **options: Any) -> AsyncIterator[Reader]:
    app = ToyApp(**{"ticks": False} | options)
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, ToyScreen)
        reader = Reader(app, pilot, screen)
        await reader.settle()
        yield reader


class TestClock:
    async def test_a_batch_falls_in_four_pictures_and_is_then_learned_from(self) -> None:
        async with opened() as reader:
            places = []
            for _ in range(3):
                await reader.frames(1)
                assert reader.toy.update == 0
                places.append(reader.screen.now.fallen)
            assert places == pytest.approx([0, 1 / 3, 2 / 3])
            await reader.frames(1)
            assert reader.toy == step(Toy(), 0.99)
            assert "update 1 ·" in reader.text

    async def test_over_a_slow_wire_there_are_fewer_pictures(self) -> None:
        async with opened(frames_per_second=4.0) as reader:
            assert "1 batch a second" in reader.text
            await reader.frames(4)
            assert reader.toy.update == 1

    async def test_it_runs_by_itself(self) -> None:
        async with opened(ticks=True) as reader:
            while reader.toy.update < 2:
                await reader.pilot.pause(0.05)

    @pytest.mark.parametrize(
        ("keys", "updates"),
        [(("down",), 2), ((), 4), (("up",), 8), (("up", "up"), 32), (("up",) * 9, 32)],
    )
    async def test_the_speed(self, keys: tuple[str, ...], updates: int) -> None:
        async with opened() as reader:
            await reader.press(*keys)
            await reader.frames(16)
            assert reader.toy.update == updates


class TestKeys:
    async def test_space_pauses_and_goes_on_and_the_line_of_keys_says_so(self) -> None:
        async with opened() as reader:
            assert "space pause" in reader.text
            await reader.press("space")
            await reader.frames(20)
            assert reader.toy.update == 0
            assert "‖ paused" in reader.text
            assert "space go on" in reader.text
            await reader.press("space")
            await reader.frames(8)
            assert reader.toy.update == 2

    async def test_n_drops_one_batch_and_pauses(self) -> None:
        async with opened() as reader:
            await reader.press("n")
            await reader.frames(20)
            assert reader.toy.update == 1
            await reader.press("up", "up", "n")  # 16 batches a second would drop four together
            await reader.frames(20)
            assert reader.toy.update == 2
            assert reader.screen.now.paused

    async def test_arrows_turn_the_momentum_from_one_end_to_the_other(self) -> None:
        async with opened() as reader:
            assert "[.99]" in reader.text
            await reader.press("left", "left", "left")
            assert "[.9]" in reader.text
            assert "momentum 0.9 keeps 90 % at each batch" in reader.text
            await reader.frames(4)
            assert reader.toy.momentum == 0.9
            assert "0.9 · 0.000 + 0.1 ·" in reader.text
            await reader.press(*["left"] * 9)
            assert reader.screen.now.momentum == 0.0
            await reader.press(*["right"] * 12)
            assert reader.screen.now.momentum == 0.999

    async def test_a_click_on_the_ladder_chooses_too(self) -> None:
        async with opened() as reader:
            row = reader.text.splitlines()[4]
            await reader.pilot.click(Ladder, offset=(row.index(" .5 ") + 1, 0))
            assert reader.screen.now.momentum == 0.5
            await reader.pilot.click(Ladder, offset=(2, 0))
            await reader.pilot.click(Ladder, offset=(118, 0))
            assert reader.screen.now.momentum == 0.5

    async def test_c_recalibrates(self) -> None:
        async with opened() as reader:
            await reader.frames(80)
            assert "× Validation fails" in reader.text
            before = reader.toy
            await reader.press("c")
            assert reader.toy == recalibrate(before)
            assert "√ Validation is sound" in reader.text
            assert "recalibrated: mean and variance of all 1,000 values" in reader.text
            assert "start value left = 0 %, since the recalibration" in reader.text

    async def test_s_lets_the_weights_stand_still_and_learn_on(self) -> None:
        async with opened() as reader:
            await reader.press("s")
            await reader.frames(8)
            assert (reader.toy.update, reader.toy.learned) == (2, 0.0)
            assert "weights stand still" in reader.text
            assert "s weights learn" in reader.text
            await reader.press("s")
            await reader.frames(4)
            assert reader.toy.learned == 1.0

    async def test_r_begins_again_with_the_same_batches_and_the_momentum_of_now(self) -> None:
        async with opened(seed=3) as reader:
            await reader.frames(8)
            first = reader.toy
            await reader.press("r")
            assert reader.toy == Toy(seed=3)
            assert reader.toy.running == START
            await reader.frames(8)
            assert reader.toy == first
            await reader.press("left", "r")
            await reader.frames(4)
            assert reader.toy == step(Toy(seed=3), 0.98)

    async def test_r_forgets_the_past_and_not_how_far_the_reader_is(self) -> None:
        async with opened() as reader:
            await reader.frames(60)
            assert "← lowers the momentum" in reader.text
            assert "fresh 98 %  running" in reader.text
            await reader.press("r")
            assert "← lowers the momentum" in reader.text
            assert "fresh 98 %  running" not in reader.text

    async def test_question_mark_explains_with_the_formula_and_all_keys(self) -> None:
        async with opened((120, 60)) as reader:
            await reader.press("question_mark")
            assert isinstance(reader.app.screen, HelpScreen)
            assert "running ← momentum · running + (1 − momentum) · the batch's" in reader.text
            assert "lag = fresh − running without its start value" in reader.text
            assert "numbers of" not in reader.text
            await reader.press("2")
            assert "recalibrate: take the statistics of all training values" in reader.text
            assert "loading" not in reader.text
            await reader.press("escape")
            assert isinstance(reader.app.screen, ToyScreen)

    @pytest.mark.parametrize("key", ["escape", "q"])
    async def test_alone_it_ends_the_program(self, key: str) -> None:
        async with opened() as reader:
            await reader.press(key)
            assert reader.app._exit
            assert reader.app.return_code == 0


class TestInTheList:
    """The toy is the first entry of the guided experiments."""

    async def test_it_opens_over_the_list_and_esc_goes_back_to_it(self) -> None:
        async with explorer(experiments=experiments()) as user:
            await user.press("g", "home")
            assert "0 The mechanism: one channel, eight" in user.part("OptionList")
            assert "Before the network: one channel of it" in user.part("#sheet")
            await user.press("enter")
            assert isinstance(user.app.screen, ToyScreen)
            await user.press("left", "n")
            assert user.app.screen.now.momentum == 0.98
            await user.press("escape")
            assert isinstance(user.app.screen, ExperimentsScreen)
            await user.press("escape")
            assert isinstance(user.app.screen, Explorer)

    async def test_the_run_goes_on_under_it_and_is_shown_again_behind_it(self) -> None:
        async with explorer(experiments=experiments()) as user:
            await user.press("g", "home", "enter")
            calls = list(user.run.calls)
            await user.press("space", "n", "r", "c", "s")
            await user.see(update=200)
            assert user.run.calls == calls
            assert len(user.runs.made) == 1
            await user.press("escape", "escape")
            assert "update 200" in user.part("StatusLine")


class TestPictures:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("glyphs", [Glyphs.BRAILLE, Glyphs.ASCII])
    async def test_nothing_is_cut_over_anything_else_or_mostly_empty(
        self, size: tuple[int, int], glyphs: Glyphs
    ) -> None:
        async with opened(size, glyphs=glyphs) as reader:
            seen = []
            for keys, frames in (((), 90), (("left",) * 3, 160), (("left",) * 4, 22)):
                await reader.press(*keys)
                await reader.frames(frames)
                seen.append(faults(reader.app))
            await reader.press("c", "s")
            reader.app.clear_notifications()
            seen.append(faults(reader.app))
            assert seen == [[]] * len(seen)

    async def test_in_ascii_there_is_nothing_else(self) -> None:
        async with opened(TABS, glyphs=Glyphs.ASCII) as reader:
            await reader.frames(50)
            text = reader.text
            assert text.isascii()
            assert "batches of eight values drop in, 0 of images of a 0, 1 of a 1" in text
            assert "variance = 0.99*" in text
            assert "< lowers the momentum" in text

    @pytest.mark.parametrize("size", [(59, 16), (60, 15), (20, 5)])
    async def test_too_small_it_asks_for_room(self, size: tuple[int, int]) -> None:
        async with opened(size) as reader:
            assert "the toy needs" in reader.text.replace("\n", " ")
            await reader.frames(4)
            await reader.pilot.resize_terminal(*FULL)
            await reader.settle()
            assert "update 1 ·" in reader.text
            assert "the toy needs" not in reader.text

    async def test_in_much_room_the_mean_has_a_chart_as_well(self) -> None:
        async with opened(LARGE) as reader:
            await reader.frames(40)
            assert "the mean" in reader.text
            means = (one.mean for one in (reader.toy.fresh, reader.toy.running))
            assert "fresh {:.2f}  running {:.2f}".format(*means) in reader.text

    async def test_notices_take_the_place_of_the_hint_and_cover_nothing(self) -> None:
        async with opened(SMALL) as reader:
            reader.app.notify("something happened")
            await reader.settle()
            lines = reader.screen.query_one(MessageLines)
            assert reader.text.splitlines()[lines.region.y].strip() == "something happened"


class TestBytesSent:
    async def test_a_picture_in_which_a_batch_falls_sends_its_values_alone(self) -> None:
        falls, lands = await self.sent()
        assert max(map(len, falls)) < 700
        assert max(map(len, lands)) < 4000

    async def sent(self) -> tuple[list[bytes], list[bytes]]:
        """Return what pictures send in which a batch falls, and those in which it lands."""
        app = ToyApp(ticks=False)
        app.driver_class = Wire
        falls: list[bytes] = []
        lands: list[bytes] = []
        async with app.run_test(headless=False, size=FULL) as pilot:
            driver, screen = app._driver, app.screen
            assert isinstance(driver, Wire)
            assert isinstance(screen, ToyScreen)
            await pilot.pause()
            for number in range(48):
                driver.written = ""
                screen.frame()
                await pilot.pause(0.01)
                if number >= 8:
                    kind = lands if screen.now.falling is None else falls
                    kind.append(driver.written.encode())
        assert len(lands) == 10
        return falls, lands
