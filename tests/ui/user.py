"""Somebody at the keyboard of an app that runs without a terminal."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from bntui.core.config import RunConfig
from bntui.core.run_request import Follow, New, RunRequest
from bntui.core.snapshot import Snapshot
from bntui.ui.app import BntuiApp
from tests.ui.scripted import ScriptedRun, ScriptedRuns

FULL, TABS, TINY = (120, 40), (80, 24), (50, 12)
CONFIG = RunConfig(width=0.25)
HOPS = 8
"""Widgets that a message may pass through: a knob's goes through four to the explorer."""
FRAMES = str.maketrans("│▊▎▔▁", "     ")
PANELS = {
    "1": "╭─ accuracy",
    "2": "╭─ loss",
    "3": "╭─ every momentum",
    "4": "╭─ drift",
    "5": "╭─ predictions",
    "6": "╭─ evidence",
}
"""How each panel's frame begins, by the key that shows it."""


def screen_text(app: App[None]) -> str:
    """Return what stands on the screen, line by line."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


@dataclass
class User:
    """Somebody at the keyboard, and what they see."""

    app: BntuiApp
    pilot: Pilot[None]
    runs: ScriptedRuns

    @property
    def run(self) -> ScriptedRun:
        return self.runs.made[-1]

    @property
    def text(self) -> str:
        return screen_text(self.app)

    def part(self, selector: str = "") -> str:
        """Return the words inside one widget, by default the whole screen, as one line."""
        screen = self.app.screen
        area = (screen.query_one(selector) if selector else screen).region
        lines = self.text.splitlines()[area.y : area.bottom]
        text = " ".join(line[area.x : area.right] for line in lines)
        return " ".join(text.translate(FRAMES).split())

    def knob(self, name: str) -> str:
        return self.part(f"#{name}")

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.app.simulate_key(key)
            await self.settle()

    async def type(self, value: str) -> None:
        """Type into the open dialog over what it proposes."""
        await self.press(*value, "enter")

    async def choose(self, name: str) -> None:
        self.app.screen.query_one(f"#{name}").focus()
        await self.settle()

    async def settle(self) -> None:
        """Have messages handled, and those that follow from them, widget by widget.

        `pilot.pause()` and `pilot.press()` wait for an idle CPU instead, a minute for all tests.
        """
        for _ in range(HOPS):
            await self.pilot.pause(0)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what another thread brings about."""
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.01)
                await self.settle()
        await self.settle()

    async def see(self, snapshot: Snapshot | None = None, **changes: Any) -> None:
        """Let the run show a snapshot, and the screen look at it."""
        self.run.snapshot = replace(snapshot or self.run.snapshot, **changes)
        self.app.explorer.follower.poll()
        await self.settle()

    async def resize(self, size: tuple[int, int]) -> None:
        await self.pilot.resize_terminal(*size)
        await self.settle()


@asynccontextmanager
async def opened(
    size: tuple[int, int] = FULL,
    config: RunConfig = CONFIG,
    *,
    loaded: bool = True,
    paused: bool = False,
    left_open: frozenset[str] = frozenset(),
    follow: str = "",
    **options: Any,
) -> AsyncIterator[User]:
    """Open the explorer; it looks at its run when a test says so, not by the clock.

    `follow` is the id of the run to follow, where that is what it does.
    """
    runs = ScriptedRuns(loaded=loaded and not follow)
    origin = Follow(follow) if follow else New(left_open)
    request = RunRequest(config, origin=origin, paused=paused)
    app = BntuiApp(runs, request, updates_per_second=0.001, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        user = User(app, pilot, runs)
        await user.settle()
        app.explorer.follower.poll()
        await user.settle()
        yield user
