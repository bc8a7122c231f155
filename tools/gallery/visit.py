"""Open bntui without a terminal on a screen of the gallery, at a size and in a look."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bntui.core.config import Observation
from bntui.core.run_request import Follow, New, RunRequest
from bntui.experiments.library import built_in, configs_of
from bntui.ui.app import BntuiApp
from bntui.ui.drawing.canvas import Canvas
from bntui.ui.experiments.progress import Experiments
from bntui.ui.terminal.glyphs import Glyphs
from tools.gallery.frozen import archive, showing
from tools.gallery.states import kept_states

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from bntui.core.snapshot import Snapshot

Size = tuple[int, int]
SIZES: tuple[Size, ...] = ((60, 16), (80, 24), (120, 40), (200, 60))
HOPS = 8
"""Widgets that a message may pass through."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a terminal can show, and its theme."""

    name: str
    theme: str = "bntui"
    sixteen: bool = False
    glyphs: Glyphs = Glyphs.BRAILLE


LOOKS = (
    Look("dark"),
    Look("light", theme="bntui-light"),
    Look("16 colours", sixteen=True),
    Look("ascii", glyphs=Glyphs.ASCII),
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at the keyboard of an app that shows what stands still."""

    app: BntuiApp
    pilot: Pilot[None]

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each when the one before has been taken."""
        for key in keys:
            self.app.simulate_key(key)
            await self.settle()

    async def settle(self) -> None:
        """Have messages handled, and the run's state shown."""
        explorer = self.app.explorer
        before = explorer.run.snapshot
        await self._hop()
        explorer.follower.poll()
        if explorer.run.snapshot is not before:
            await self._hop()

    async def _hop(self) -> None:
        for _ in range(HOPS):
            await self.pilot.pause(0)

    async def resize(self, size: Size) -> None:
        """Give the terminal another size."""
        if self.app.size != size:
            await self.pilot.resize_terminal(*size)
        await self.settle()

    async def dress(self, look: Look) -> None:
        """Give the terminal another look, but for its characters."""
        self.app.drawn_for_sixteen = look.sixteen
        for screen in self.app.screen_stack:
            for canvas in screen.query(Canvas):
                canvas.set_class(look.sixteen, "-sixteen")
                canvas.drawn = None  # as at the start, what is drawn follows the colours
                canvas.refresh()
        if self.app.theme != look.theme:
            self.app.theme = look.theme
        await self.settle()


@asynccontextmanager
async def opened(
    states: tuple[Snapshot, ...], size: Size, look: Look, *, tour: bool = False
) -> AsyncIterator[Visitor]:
    """Open the explorer on runs that show `states`, one after the other."""
    experiments = Experiments(built_in, lambda experiment: configs_of(experiment, {}))
    first = states[0]
    origin = Follow(first.run) if first.followed else New()
    request = RunRequest(first.config, Observation(noise_scale=True), origin=origin)
    app = BntuiApp(
        showing(*states),
        request,
        archive=archive(kept_states()),
        experiments=experiments,
        updates_per_second=0.001,
        glyphs=look.glyphs,
        theme=look.theme,
        tour=tour,
    )
    app.drawn_for_sixteen = look.sixteen
    async with app.run_test(size=size) as pilot:
        visitor = Visitor(app, pilot)
        await visitor.settle()
        yield visitor
