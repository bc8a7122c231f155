"""The screens of the gallery: on which run each opens, and how one gets there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from textual.command import CommandList

from bntui.core.snapshot import Phase, Snapshot
from bntui.ui.explorer.drift import DriftTable
from bntui.ui.explorer.hindsight import HindsightMap
from bntui.ui.runs.comparison import ComparisonScreen
from bntui.ui.runs.list import RunList
from bntui.ui.runs.preview import Preview
from bntui.ui.sweeps.screen import SweepScreen
from bntui.ui.toy.screen import ToyScreen
from bntui.ui.widgets.knob import Knob
from tools.gallery.states import kept_states
from tools.gallery.sweep import StillSource, kept_sweep
from tools.gallery.visit import LOOKS, SIZES, Look, Size, Visitor, opened

BATCHES, HALFWAY = 26, 0.5
"""Batches that have dropped in the toy's picture, and how far the next one has."""

Step = str | Callable[[Visitor], Awaitable[None]]
"""A key, or something that a visitor does."""


TWO = {
    "under way": ("failing", "experiment 1, under way"),
    "concluded": ("failing", "experiment 1, end"),
}
"""The states of runs that begin one after the other."""


def state(name: str) -> Snapshot:
    """Return a kept state, or one that needs no training."""
    states = kept_states()
    config = states["failing"].config
    if name == "loading":
        return Snapshot(config=config, message="loading torch", epochs=config.epochs)
    if name == "failed":
        why = (
            "mnist can't be downloaded (Name or service not known): connect, or press d for digits."
        )
        return Snapshot(phase=Phase.FAILED, config=replace(config, dataset="mnist"), message=why)
    if name == "interrupted":
        left: Snapshot = states["watched"]
        message = f"{LEFT_OPEN} {left.update:,}."
        return replace(left, phase=Phase.INTERRUPTED, message=message)
    found: Snapshot = states[name]
    return found


LEFT_OPEN = "the process that trained this run has ended without closing it: the last update that it kept is"
"""How `store.follow` begins to say so."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One screen of the gallery."""

    name: str
    caption: str
    steps: tuple[Step, ...] = ()
    shown: str = "failing"
    """The state that the run shows; of two runs, one after the other, a key of `TWO`."""
    tour: bool = False
    """Whether it is the first start."""
    measured: bool = True
    """Whether there is something to show in every panel: without a measurement a panel is empty."""
    sizes: tuple[Size, ...] = SIZES
    once: bool = False
    """Whether the repository keeps it at one size and in one look alone."""
    ready: Step | None = None
    """What to wait for at a new size."""

    def states(self) -> tuple[Snapshot, ...]:
        """Return what the runs show, one after the other."""
        return tuple(map(state, TWO.get(self.shown, (self.shown,))))


def focus(kind: type) -> Step:
    """Return the step to the first widget of a kind."""

    async def step(visitor: Visitor) -> None:
        visitor.app.screen.query(kind).first().focus()
        await visitor.settle()

    return step


def until(condition: Callable[[Visitor], bool]) -> Step:
    """Return the step of waiting for another thread."""

    async def step(visitor: Visitor) -> None:
        for _ in range(2000):
            if condition(visitor):
                break
            await visitor.pilot.pause(0.005)
        await visitor.settle()

    return step


LISTED = until(
    lambda v: bool(v.app.screen.query(RunList)) and bool(v.app.screen.query_one(RunList).chosen)
)
PREVIEWED = until(
    lambda v: (
        not v.app.screen.query_one(Preview).size
        or v.app.screen.query_one(Preview).run
        == getattr(v.app.screen.query_one(RunList).chosen, "id", "")
    )
)


async def play(visitor: Visitor) -> None:
    """Play the toy from its start into the fall of a batch, and pause there."""
    toy = visitor.app.screen
    assert isinstance(toy, ToyScreen)
    toy.action_begin_again()
    while toy.now.toy.update < BATCHES or toy.now.fallen < HALFWAY:
        toy.frame()
    toy.action_go_or_pause()
    visitor.app.clear_notifications()
    await visitor.settle()


async def look_at_sweep(visitor: Visitor) -> None:
    """Open the sweep over the explorer."""
    await visitor.app.push_screen(
        SweepScreen(StillSource(kept_sweep()), None, updates_per_second=0.001)
    )
    await visitor.settle()


FOUND = until(lambda v: v.app.screen.query_one(CommandList).option_count > 1)

COMPARED: tuple[Step, ...] = (
    *("o", LISTED, "space", "down", "equals_sign"),
    until(lambda v: isinstance(v.app.screen, ComparisonScreen)),
)
PREDICTED: tuple[Step, ...] = (
    *("g", "enter", "3"),
    *(["down"] * 6),
    *(["right"] * 6),
    *(["up"] * 9),
    *(["right"] * 5),
    *(["up"] * 3),
)
"""The first experiment, its question answered, and a line that rises twice."""
MOMENT: tuple[Step, ...] = ("3", focus(HindsightMap), "m")

SCENES = (
    Scene("explorer", "Validation fails: what happens, why, and what to do"),
    Scene("healed", "After a recalibration (c)", shown="healed"),
    Scene("finished", "A run at its end", shown="finished"),
    Scene("loading", "Before anything is loaded", shown="loading", measured=False),
    Scene("failed", "A run that could not be loaded", shown="failed", measured=False),
    Scene("control", "A run without batch norm", shown="control", measured=False),
    Scene("attach", "A training by a script of your own, watched (bntui attach)", shown="watched"),
    Scene(
        "attach-map",
        "Every momentum of a watched training, in torch's numbers",
        ("3", focus(HindsightMap)),
        "watched",
    ),
    Scene(
        "attach-blind",
        "Watched without validation data: how far statistics are from fresh ones",
        shown="watched blind",
        measured=False,
    ),
    Scene("attach-what-if", "The same under every momentum (w)", ("w",), "watched blind"),
    Scene("attach-interrupted", "Its process was killed", shown="interrupted"),
    Scene("loss", "Loss (2)", ("2",)),
    Scene("map", "Every momentum, in hindsight (3)", ("3", focus(HindsightMap))),
    Scene("drift", "Drift, layer by layer (4)", ("4", focus(DriftTable))),
    Scene("predictions", "What the network predicts (5)", ("5",)),
    Scene("verdict", "The verdict and what it rests on (v)", ("v",), "looked"),
    Scene("help", "Keys and words (?)", ("question_mark",)),
    Scene("what-if", "What if momentum had been another (w)", ("w",), "looked"),
    Scene("layer", "One layer, channel by channel", ("4", focus(DriftTable), "enter"), "looked"),
    Scene("moment", "A moment of the past, opened from the map (m)", MOMENT, "looked"),
    Scene("channel", "One channel, down to the arithmetic", (*MOMENT, "enter", "enter"), "looked"),
    Scene("structure", "What only a new run can change (k)", ("k",)),
    Scene("twin", "A twin in lockstep (t)", shown="twin"),
    Scene("branch", "Moments to return to (b)", ("b",), "looked"),
    Scene("runs", "The runs that are kept (o)", ("o", LISTED, "down", "down"), ready=PREVIEWED),
    Scene("comparison", "Two runs compared (=)", COMPARED),
    Scene("experiments", "Guided experiments (g)", ("g",)),
    Scene("toy", "The mechanism: one channel, eight values a batch", ("g", "home", "enter", play)),
    Scene("question", "The question before an experiment", ("g", "enter")),
    Scene("pencil", "A line for a prediction", PREDICTED),
    Scene("experiment", "An experiment under way", (*PREDICTED, "enter"), "under way"),
    Scene("conclusion", "Its conclusion", (*PREDICTED, "enter"), "concluded"),
    Scene("tour", "The cards of the first start", tour=True),
    Scene(
        "sweep",
        "A sweep: its phase diagram as it fills (bntui sweep)",
        (look_at_sweep, *(["full_stop"] * 4)),
        once=True,
    ),
    Scene("value", "Typing a value (enter on a knob)", (focus(Knob), "enter")),
    Scene("palette", "The command palette (ctrl+p)", ("ctrl+p", FOUND)),
    Scene("too-small", "A terminal that is too small", sizes=((50, 12),)),
)


@asynccontextmanager
async def visited(scene: Scene, size: Size, look: Look) -> AsyncIterator[Visitor]:
    """Open a scene."""
    async with opened(scene.states(), size, look, tour=scene.tour) as visitor:
        for step in scene.steps:
            await (visitor.press(step) if isinstance(step, str) else step(visitor))
        yield visitor


async def sweep(scene: Scene) -> AsyncIterator[tuple[Size, Look, Visitor]]:
    """Yield a scene at every size and in every look: opened once for each kind of characters."""
    for glyphs in dict.fromkeys(look.glyphs for look in LOOKS):
        looks = [look for look in LOOKS if look.glyphs is glyphs]
        sizes = list(scene.sizes)
        async with visited(scene, sizes[0], looks[0]) as visitor:
            for look in looks:
                await visitor.dress(look)
                for size in sizes:
                    await visitor.resize(size)
                    if callable(scene.ready):
                        await scene.ready(visitor)
                    yield size, look, visitor
                sizes.reverse()  # one resize less
