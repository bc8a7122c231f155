"""The whole program in one sitting: a real run under the explorer, driven from the keyboard."""

import asyncio
import threading
from collections.abc import Callable

from bntui.engine.config import Knobs, RunConfig
from bntui.engine.runner import Runner
from bntui.engine.snapshot import Phase, Snapshot
from bntui.ui.app import BntuiApp
from tests.ui.user import screen_text

LIMIT = 30.0
"""Seconds after which a promise counts as broken."""


async def test_a_sitting_at_the_explorer() -> None:
    # At its own pace the run would leave little of the CPU to the screen.
    knobs = Knobs(batch_size=64, momentum=0.99, pace=25.0)
    config = RunConfig(train_size=512, width=0.0625, device="cpu", epochs=500, knobs=knobs)
    app = BntuiApp(lambda config, left_open, *_: Runner(config, left_open=left_open), config)

    async def press(*keys: str) -> None:
        for key in keys:
            app.simulate_key(key)
            await asyncio.sleep(0.05)

    async def until(condition: Callable[[Snapshot, str], object]) -> Snapshot:
        """Return the first snapshot that meets a condition together with the screen's text."""
        async with asyncio.timeout(LIMIT):
            while True:
                snapshot, text = app.explorer.run.snapshot, screen_text(app)
                assert snapshot.phase is not Phase.FAILED, snapshot.traceback
                if condition(snapshot, text):
                    return snapshot
                await asyncio.sleep(0.02)

    async with app.run_test(size=(120, 40)):
        await until(lambda snapshot, text: snapshot.validation and "conv1_bn" in text)

        await press("down", "down", "left")
        seen = await until(lambda snapshot, _: snapshot.knobs.momentum == 0.98)
        assert [mark.label for mark in seen.marks] == ["momentum 0.99→0.98"]
        await until(lambda _, text: "momentum 0.99→0.98" in text and "pending" not in text)

        await press("space")
        paused = await until(lambda _, text: "‖ paused" in text)
        await press("n")
        stepped = await until(lambda snapshot, _: snapshot.update != paused.update)
        assert stepped.update == paused.update + 1
        await until(lambda _, text: f"‖ paused · update {stepped.update} " in text)

        await press("c")
        tried = await until(lambda snapshot, _: snapshot.recalibration)
        assert tried.recalibration is not None
        assert not tried.recalibration.applied
        await press("c")
        fresh = await until(lambda snapshot, _: snapshot.recalibration is not tried.recalibration)
        assert [mark.label for mark in fresh.marks][1:] == ["recalibrated"]
        assert fresh.update == stepped.update
        assert fresh.validation is not None
        assert max(layer.start_left for layer in fresh.validation.layers) == 0.0

        await press("q")
        async with asyncio.timeout(LIMIT):
            while app.is_running:
                await asyncio.sleep(0.02)

    assert app.return_code == 0
    assert app.all_ended
    assert "bntui-run" not in {thread.name for thread in threading.enumerate()}
