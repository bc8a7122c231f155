"""Remake the pictures of the README from the running program: `make pictures`.

The explorer trains for real, without a terminal. In the first story validation fails at momentum
0.99 and recovers when the momentum is lowered; in the second the first three experiments run to
their conclusions, into a store of their own.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bntui.cli.main import _observation
from bntui.core.config import RunConfig
from bntui.experiments.library import built_in, configs_of, find
from bntui.store.archive import KeptRuns, recorder
from bntui.train.runner import Runner
from bntui.ui.app import BntuiApp
from bntui.ui.experiments.conclusion import ConclusionScreen
from bntui.ui.experiments.progress import Experiments
from bntui.ui.explorer.drift import DriftTable
from bntui.ui.widgets.knob import Knob
from tools.svg import slim

ASSETS = Path(__file__).parent.parent / "assets"
SEED = 5
TURN_AT, SHOOT_AT = 90, 150
SIZE = (120, 40)
LOWER = (100, 28)
"""For a screen that needs less room: fewer cells are fewer bytes."""
SETTLE_SECONDS = 1.0
"""How long the screen takes to draw what has come, on a busy machine."""
LEFT_OPEN = frozenset({"dataset", "width", "batch_size"})
"""What the explorer fits to the machine when nothing is asked of it."""


async def one_run() -> None:
    """Shoot a layer and the what-if where validation fails, and the explorer where it recovers."""
    config = RunConfig(seed=SEED)
    app = BntuiApp(
        lambda config, left_open, *_: Runner(config, left_open=left_open), config, LEFT_OPEN
    )
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


async def experiments() -> None:
    """Shoot the conclusion of the first experiment, and the list of all runs after the third."""
    first = find("1")
    config, *_ = configs_of(first, {})

    def make_run(config: RunConfig, *rest: Any) -> Runner:
        purpose = rest[-1]
        note = purpose.note if purpose else ""
        observation = _observation(purpose, validation=True)
        return Runner(config, observation, recorder=recorder(note=note))

    course = Experiments(built_in, lambda experiment: configs_of(experiment, {}), first)
    app = BntuiApp(make_run, config, archive=KeptRuns(), experiments=course, paused=True)

    async with app.run_test(size=LOWER) as pilot:
        await pilot.pause()
        for number, answer in enumerate(("2", "3", "3"), 1):
            await press(app, answer)
            await until(lambda: isinstance(app.screen, ConclusionScreen))
            if number == 1:
                await shoot(app, "experiment")
            await press(app, "enter" if number < 3 else "escape")
        await press(app, "o")
        await shoot(app, "runs")


async def press(app: BntuiApp, *keys: str) -> None:
    """Press keys one after the other, each when the one before has been taken."""
    for key in keys:
        app.simulate_key(key)
        await asyncio.sleep(0.3)


async def shoot(app: BntuiApp, name: str) -> None:
    """Write a picture of the screen, once it has drawn what there is."""
    await asyncio.sleep(SETTLE_SECONDS)
    ASSETS.mkdir(exist_ok=True)
    path = ASSETS / f"{name}.svg"
    path.write_text(slim(app.export_screenshot(title="bntui")))
    print(f"wrote {ASSETS.name}/{path.name}: {path.stat().st_size:,} bytes", flush=True)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for `condition`, as long as it takes."""
    while not condition():
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        os.environ["BNTUI_STORE"] = str(Path(folder) / "runs.sqlite")
        asyncio.run(one_run())
        asyncio.run(experiments())
