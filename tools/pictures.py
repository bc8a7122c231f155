"""Remake the pictures of the README from the running program: `make pictures`.

The explorer trains for real, without a terminal: at momentum 0.99 validation fails, then the
momentum is lowered with the arrow keys and validation recovers.
"""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from bntui.core.config import RunConfig
from bntui.train.runner import Runner
from bntui.ui.app import BntuiApp

ASSETS = Path(__file__).parent.parent / "assets"
SEED = 5
TURN_AT, SHOOT_AT = 90, 150


async def story() -> None:
    """Play the story and write `assets/explorer.svg`."""
    config = RunConfig(seed=SEED)
    left_open = frozenset({"dataset", "width", "batch_size"})
    app = BntuiApp(
        lambda config, left_open, *_: Runner(config, left_open=left_open), config, left_open
    )
    async with app.run_test(size=(120, 40)) as pilot:
        run = app.explorer.run
        await until(lambda: run.snapshot.update >= TURN_AT)
        for key in ("down", "down", "left", "left", "left", "left"):
            pilot.app.simulate_key(key)
            await asyncio.sleep(0.05)
        await until(lambda: run.snapshot.update >= SHOOT_AT)
        pilot.app.simulate_key("space")
        await asyncio.sleep(1.0)
        write(app.export_screenshot(title="bntui"), "explorer.svg")


async def until(condition: Callable[[], bool]) -> None:
    """Wait for `condition`, as long as it takes."""
    while not condition():
        await asyncio.sleep(0.05)


def write(svg: str, name: str) -> None:
    """Write one picture, without the fonts that it would load from elsewhere."""
    ASSETS.mkdir(exist_ok=True)
    text = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    (ASSETS / name).write_text(re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE))
    print(f"wrote {ASSETS.name}/{name}")


if __name__ == "__main__":
    asyncio.run(story())
