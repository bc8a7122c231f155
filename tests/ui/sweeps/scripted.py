"""A sweep that shows what a test tells it: no store, no threads, made-up accuracies."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from textual.pilot import Pilot
from textual.widget import Widget

from bntui.core.config import Knobs, RunConfig
from bntui.core.estimators import MOMENTA, ROWS
from bntui.core.sweep import (
    Axis,
    Cell,
    CellState,
    Design,
    EpochOutcome,
    Standing,
    SweepView,
    start_left,
)
from bntui.ui.sweeps.app import SweepApp
from bntui.ui.sweeps.map import PhaseMap
from bntui.ui.sweeps.screen import SweepScreen
from tests.ui.scripted import ScriptedRuns
from tests.ui.user import HOPS, screen_text

TRAIN, EPOCHS = 4000, 4
DESIGN = Design(
    RunConfig(epochs=EPOCHS, width=0.25, knobs=Knobs(momentum=0.99)),
    (
        Axis("batch_size", (16, 64, 256, 1024)),
        Axis("learning_rate", (0.001, 0.01)),
    ),
    (0, 1, 2),
)
FULL, TABS, SMALL, TINY = (120, 40), (80, 24), (60, 16), (50, 12)


def outcome(cell: Cell, epoch: int) -> EpochOutcome:
    """Return accuracies that fall with what is left of the start values."""
    updates = epoch * -(-TRAIN // cell.config.knobs.batch_size)
    fresh = round(1.0 - 0.5 * 0.98**updates - 0.004 * cell.seed, 4)
    rows = [fresh * (1.0 - 0.88 * start_left(one, updates)) for one in MOMENTA]
    rows += [fresh] * (len(ROWS) - len(rows))
    return EpochOutcome(epoch, updates, rows[MOMENTA.index(0.99)], fresh, tuple(rows))


def state(cell: Cell, epochs: int, standing: Standing = Standing.FINISHED) -> CellState:
    """Return a cell after so many epochs, 30 seconds each."""
    done = tuple(outcome(cell, one) for one in range(1, epochs + 1))
    last = done[-1].update if done else 0
    message = "the process that ran it was killed" if standing is Standing.FAILED else ""
    return CellState(
        cell,
        standing,
        done,
        updates=last,
        images=epochs * TRAIN,
        seconds=30.0 * epochs,
        train=TRAIN if done else 0,
        message=message,
    )


def view_of(
    finished: int,
    *,
    running: int = 0,
    failed: int = 0,
    design: Design = DESIGN,
    epochs: int = EPOCHS,
) -> SweepView:
    """Return a sweep whose first cells have finished; the next are under way, one epoch far, or failed."""
    states = []
    for place, cell in enumerate(design.cells()):
        if place < finished:
            states.append(state(cell, epochs))
        elif place < finished + running:
            states.append(state(cell, 1, Standing.RUNNING))
        elif place < finished + running + failed:
            states.append(state(cell, 0, Standing.FAILED))
        else:
            states.append(state(cell, 0, Standing.WAITING))
    return SweepView("lr-and-batch", design, tuple(states))


class ScriptedSource:
    """A `SweepSource` that shows what it is given."""

    def __init__(self, view: SweepView) -> None:
        self.view = view
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def leave(self, timeout: float) -> bool:
        self.calls.append("leave")
        return True


class ScriptedLead:
    """A `SweepLead` that runs nothing."""

    def __init__(self) -> None:
        self.message, self.failure, self.over = "", "", False
        self.workers = "2 processes of 1 thread"
        self.retrying: frozenset[str] = frozenset()
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def leave(self, timeout: float, *, interrupted: bool = False) -> bool:
        self.calls.append("leave interrupted" if interrupted else "leave")
        return True


@dataclass
class Watcher:
    """Somebody who looks at a sweep."""

    app: SweepApp
    pilot: Pilot[None]
    source: ScriptedSource
    lead: ScriptedLead | None
    runs: ScriptedRuns

    @property
    def screen(self) -> SweepScreen:
        found = self.app.screen_stack[0]
        assert isinstance(found, SweepScreen)
        return found

    @property
    def map(self) -> PhaseMap:
        return self.screen.query_one(PhaseMap)

    @property
    def in_front(self) -> bool:
        """Whether nothing lies over the sweep."""
        return self.app.screen is self.screen

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.app.simulate_key(key)
            await self.settle()

    async def see(self, view: SweepView | None = None, **changes: Any) -> None:
        """Have the source show another view, and the screen look at it."""
        self.source.view = replace(view or self.source.view, **changes)
        self.screen.poll()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(HOPS):
            await self.pilot.pause(0)

    async def resize(self, size: tuple[int, int]) -> None:
        await self.pilot.resize_terminal(*size)
        await self.settle()


@asynccontextmanager
async def watching(
    view: SweepView | None = None,
    size: tuple[int, int] = FULL,
    *,
    leads: bool = True,
    **options: Any,
) -> AsyncIterator[Watcher]:
    """Open the screen of a sweep; it looks at it when a test says so, not by the clock."""
    source = ScriptedSource(view_of(10, running=2) if view is None else view)
    lead, runs = (ScriptedLead() if leads else None), ScriptedRuns()
    app = SweepApp(source, lead, make_run=runs, updates_per_second=0.001, **options)
    async with app.run_test(size=size) as pilot:
        watcher = Watcher(app, pilot, source, lead, runs)
        await watcher.settle()
        yield watcher


def words(lines: Iterable[str]) -> str:
    """Return lines as one text."""
    return " ".join(" ".join(lines).split())


def said(watcher: Watcher, kind: type[Widget]) -> str:
    """Return what one of the lines says."""
    area = watcher.screen.query_one(kind).region
    return words(line[area.x : area.right] for line in watcher.lines[area.y : area.bottom])
