"""Remake the pictures of the README from the running program: `make pictures`.

The explorer trains for real, without a terminal. In the first story validation fails at momentum
0.99 and recovers when the momentum is lowered; in the second the first experiment runs to its
conclusion; in the third some short runs are kept. The store is one of their own. Last comes what
`bntui check` says of its example.
Needs a quiet machine: on a busy one there is less on the map, since measuring has a share of the time.
"""

import asyncio
import os
import runpy
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

import bntui
from bntui import cli
from bntui.cli.check import EXAMPLE
from bntui.cli.user_code import FUNCTION
from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.run_request import New, RunRequest
from bntui.core.snapshot import Phase
from bntui.experiments.library import built_in, configs_of, find
from bntui.store.archive import KeptRuns, recorder
from bntui.train.runner import Runner
from bntui.ui.app import BntuiApp
from bntui.ui.experiments.conclusion import ConclusionScreen
from bntui.ui.experiments.progress import Experiments
from bntui.ui.experiments.question import QuestionScreen
from bntui.ui.explorer.drift import DriftTable
from bntui.ui.widgets.knob import Knob
from tools.svg import slim

ASSETS = Path(__file__).parent.parent / "assets"
SEED = 5
TURN_AT, SHOOT_AT = 90, 150
SIZE = (120, 40)
LOWER = (100, 28)
LOWEST = (100, 18)
"""For screens that need less room: fewer cells are fewer bytes."""
SETTLE_SECONDS = 1.0
"""How long the screen takes to draw what has come, on a busy machine."""
LEFT_OPEN = frozenset({"dataset", "width", "batch_size"})
"""What the explorer fits to the machine when nothing is asked of it."""

SMALL = RunConfig(width=0.25, epochs=2)
TRIED = (
    (SMALL, ""),
    (replace(SMALL, knobs=Knobs(momentum=0.9)), "forgets the start value sooner"),
    (replace(SMALL, knobs=Knobs(batch_size=64)), ""),
    (replace(SMALL, norm="ghost"), ""),
    (replace(SMALL, norm="none"), "the control"),
)
"""Runs for the list, and what is noted of them."""


async def one_run() -> None:
    """Shoot a layer and the what-if where validation fails, and the explorer where it recovers."""
    config = RunConfig(seed=SEED)
    app = BntuiApp(Runner, RunRequest(config, origin=New(LEFT_OPEN)))
    async with app.run_test(size=SIZE) as pilot:
        run = app.explorer.run
        await until(lambda: run.snapshot.update >= TURN_AT and bool(run.snapshot.exchanges))
        app.simulate_key("space")
        app.explorer.query_one(DriftTable).focus()
        await press(app, "enter")
        await pilot.resize_terminal(*LOWER)
        await until(lambda: run.snapshot.channel_exchanges is not None)
        await shoot(app, "layer")
        await press(app, "escape", "w")
        await until(lambda: run.snapshot.what_if is not None)
        await shoot(app, "what-if")
        await press(app, "escape")
        await pilot.resize_terminal(*SIZE)
        app.explorer.query(Knob).first().focus()
        await press(app, "space", "down", "down", "left", "left", "left", "left")
        await until(lambda: run.snapshot.update >= SHOOT_AT)
        app.simulate_key("space")
        await shoot(app, "explorer")


async def experiment() -> None:
    """Shoot the conclusion of the first experiment."""
    first = find("1")
    config, *_ = configs_of(first, {})

    offered = Experiments(built_in, lambda experiment: configs_of(experiment, {}), first)
    request = RunRequest(config, Observation(noise_scale=True), paused=True)
    app = BntuiApp(kept_run, request, archive=KeptRuns(), experiments=offered)

    async with app.run_test(size=LOWER):
        await until(lambda: isinstance(app.screen, QuestionScreen))
        await press(app, "2")
        await until(lambda: isinstance(app.screen, ConclusionScreen))
        await shoot(app, "experiment")


async def runs() -> None:
    """Keep some runs of two epochs, and shoot their list."""
    for config, note in TRIED:
        await keep(config, note)
    app = BntuiApp(Runner, RunRequest(TRIED[0][0], paused=True), archive=KeptRuns())
    async with app.run_test(size=LOWEST):
        await press(app, "o", "down")
        await shoot(app, "runs")


def kept_run(request: RunRequest) -> Runner:
    """Make a run that goes to the store."""
    return Runner(request, recorder=lambda: recorder(request))


async def keep(config: RunConfig, note: str) -> None:
    """Train as `config` says, into the store."""
    run = kept_run(RunRequest(config, Observation(live=False), note=note))
    run.start()
    await until(lambda: run.snapshot.phase is Phase.FINISHED)
    run.leave()


def check() -> None:
    """Shoot what `bntui check` says of the file that `bntui check --example` writes."""
    parts = runpy.run_path(str(Path(cli.__file__).with_name(EXAMPLE)))[FUNCTION]()
    report = bntui.check(parts["model"], parts["validation"], parts["training"])
    console = Console(record=True, width=LOWER[0] + 2, file=StringIO(), force_terminal=True)
    console.print(report, "", width=LOWER[0])  # neither a long line nor the last one at the edge
    write("check", console.export_svg(title=f"bntui check {EXAMPLE}:{FUNCTION}"))


async def press(app: BntuiApp, *keys: str) -> None:
    """Press keys one after the other, each when the one before has been taken."""
    for key in keys:
        app.simulate_key(key)
        await asyncio.sleep(0.3)


async def shoot(app: BntuiApp, name: str) -> None:
    """Write a picture of the screen, once it has drawn what there is."""
    await asyncio.sleep(SETTLE_SECONDS)
    write(name, app.export_screenshot(title="bntui"))


def write(name: str, svg: str) -> None:
    """Write a picture to the assets."""
    ASSETS.mkdir(exist_ok=True)
    path = ASSETS / f"{name}.svg"
    path.write_text(slim(svg))
    print(f"wrote {ASSETS.name}/{path.name}: {path.stat().st_size:,} bytes", flush=True)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for `condition`, as long as it takes."""
    while not condition():
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        os.environ["BNTUI_STORE"] = str(Path(folder) / "runs.sqlite")
        asyncio.run(one_run())
        asyncio.run(experiment())
        asyncio.run(runs())
        check()
