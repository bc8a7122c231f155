"""When the screen is drawn: all of it when the terminal comes back, little of it behind a dialog."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest
from textual.driver import Driver
from textual.events import Resize
from textual.message import Message
from textual.pilot import Pilot

from bntui.core.run_request import RunRequest
from bntui.ui.app import BntuiApp
from bntui.ui.terminal.driver import TerminalDriver
from bntui.ui.widgets.palette import Palette
from tests.ui.drawing.slate import Wire, characters
from tests.ui.scripted import ScriptedRuns
from tests.ui.user import CONFIG, FULL, TABS, opened


@asynccontextmanager
async def wired(size: tuple[int, int], runs: ScriptedRuns) -> AsyncIterator[tuple[BntuiApp, Wire]]:
    """Open the explorer on a driver that keeps what is written."""
    app = BntuiApp(runs, RunRequest(CONFIG), updates_per_second=0.001)
    app.driver_class = Wire
    async with app.run_test(headless=False, size=size) as pilot:
        await pilot.pause()
        app.explorer.follower.poll()
        await quiet(pilot)
        driver = app._driver
        assert isinstance(driver, Wire)
        driver.written = ""
        yield app, driver


async def quiet(pilot: Pilot[None]) -> None:
    for _ in range(20):
        await asyncio.sleep(0.02)
        await pilot.pause(0)


@pytest.mark.parametrize("size", [FULL, (100, 30), TABS])
@pytest.mark.parametrize("key", ["", "question_mark", "o"])
async def test_everything_is_drawn_when_the_terminal_comes_back(
    size: tuple[int, int], key: str
) -> None:
    async with wired(size, ScriptedRuns(loaded=True)) as (app, wire):
        pilot = Pilot(app)
        if key:
            app.simulate_key(key)
            await quiet(pilot)
        whole = app.screen._compositor.render_strips()
        wire.written = ""
        app.post_message(Driver.SignalResume())
        await quiet(pilot)
        assert len(characters(wire.written)) >= size[0] * size[1]
        for row in range(1, size[1] + 1):
            assert f"\x1b[{row};1H" in wire.written
        assert [one.text for one in app.screen._compositor.render_strips()] == [
            one.text for one in whole
        ]


async def test_the_line_on_top_goes_on_behind_a_dialog_and_nothing_is_drawn_twice() -> None:
    runs = ScriptedRuns(loaded=True)
    async with wired(FULL, runs) as (app, wire):
        pilot = Pilot(app)
        app.simulate_key("question_mark")
        await quiet(pilot)
        wire.written = ""
        await quiet(pilot)
        assert wire.written == ""
        run = runs.made[-1]
        run.snapshot = replace(run.snapshot, images_per_s=4711.0)
        app.explorer.follower._shown_behind = 0.0  # a second has passed
        app.explorer.follower.poll()
        await quiet(pilot)
        assert "4,711" in characters(wire.written)
        assert len(wire.written) < 200


def test_nothing_is_written_before_the_terminal_is_taken() -> None:
    driver = TerminalDriver.__new__(TerminalDriver)
    driver._writer_thread = None
    driver.write("a picture")
    driver.stop_application_mode()
    driver.disable_input()
    driver.close()
    driver.give_back()


def one_that_is_resized(sizes: list[tuple[int, int]]) -> tuple[TerminalDriver, list[object]]:
    """Return a driver whose terminal is resized again while it is asked for its size, and its messages."""
    driver, told = TerminalDriver.__new__(TerminalDriver), list[object]()
    driver._app = SimpleNamespace(post_message=told.append)  # type: ignore[assignment]
    driver._loop = asyncio.get_running_loop()

    def ask() -> tuple[int, int]:
        now = sizes[0]
        if len(sizes) > 1:
            del sizes[0]
            signal.raise_signal(signal.SIGWINCH)
        return now

    driver._get_terminal_size = ask  # type: ignore[method-assign]
    return driver, told


async def test_a_size_that_changes_while_it_is_asked_for_is_not_told_last() -> None:
    sizes = [(264, 88), (100, 30), (80, 24)]
    driver, told = one_that_is_resized(sizes)
    before = signal.signal(signal.SIGWINCH, driver._resized)
    try:
        signal.raise_signal(signal.SIGWINCH)
        for _ in range(10):
            await asyncio.sleep(0)
    finally:
        signal.signal(signal.SIGWINCH, before)
    told_sizes = [message.size for message in told if isinstance(message, Resize)]
    assert told_sizes == [(264, 88), (100, 30), (80, 24)]


async def test_a_size_that_changed_and_changed_back_has_everything_drawn_anew() -> None:
    async with wired((100, 30), ScriptedRuns(loaded=True)) as (app, wire):
        driver, told = one_that_is_resized([(100, 30)])
        driver._take_size()
        for message in told:
            assert isinstance(message, Message)
            app.post_message(message)
        await quiet(Pilot(app))
        for row in range(1, 31):
            assert f"\x1b[{row};1H" in wire.written


KEYS = ["", "question_mark", "k", "o", "g", "t", "b", "v", "y", "w", "enter", "ctrl+p", "comma"]


@pytest.mark.parametrize("key", KEYS)
async def test_ctrl_c_quits_on_every_screen(key: str) -> None:
    async with opened() as user:
        if key:
            await user.press(key)
        await user.press("ctrl+c")
        await user.until(lambda: user.app._exit)


@pytest.mark.parametrize("typed", ["", "0.9"])
async def test_ctrl_c_quits_in_every_field_also_with_text_chosen(typed: str) -> None:
    async with opened() as user:
        await user.choose("momentum")
        await user.press("enter", *typed, "shift+home", "ctrl+c")
        await user.until(lambda: user.app._exit)
    async with opened() as user:
        await user.press("ctrl+p", *typed)
        assert isinstance(user.app.screen, Palette)
        await user.press("ctrl+c")
        await user.until(lambda: user.app._exit)
