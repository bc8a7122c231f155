"""The whole program in one sitting: a real run under the explorer, driven from the keyboard."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from bntui.cli.main import cli
from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase, Snapshot
from bntui.experiments.library import configs_of, find
from bntui.train.runner import Runner
from bntui.ui.app import BntuiApp
from bntui.ui.experiments.conclusion import ConclusionScreen
from bntui.ui.experiments.progress import Experiments
from tests.ui.user import screen_text

LIMIT = 120.0
"""Seconds after which a promise counts as broken."""


EXPERIMENT = """
title = "Two momenta"
hypothesis = "Old values stay."
watch = "the gap."
[question]
text = "Does it learn?"
choices = [{ text = "yes", right = "slow.loss < 9" }, { text = "no" }]
[options]
train-size = 300
width = 0.0625
epochs = 2
batch-size = 64
device = "cpu"
[arm.slow]
at = ["4:recalibrate"]
[arm.fast]
momentum = 0.9
[[claim]]
holds = 'slow["0.9"] == fast["0.9"] and fast["0.9"] == fast.val_acc'
text = "{slow.val_acc:f} {slow.val_acc_fresh:f} {slow.recalibrated_to:f} {slow.log_var_ratio:f}"
[[claim]]
holds = "fast.noise_scale > 0"
text = "{fast.noise_scale:f} {fast.val_loss:f} {fast.images:f} {fast.start_left:f}"
"""


async def test_an_experiment_concludes_what_it_concludes_without_a_screen(tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text(EXPERIMENT)
    headless = CliRunner().invoke(cli, ["run", "--experiment", str(path), "--json", "--no-store"])
    claims = json.loads(headless.stdout.splitlines()[-1])["claims"]

    experiment = find(str(path))
    experiments = Experiments(
        lambda: (experiment,), lambda experiment: configs_of(experiment, {}), experiment
    )

    config, _ = experiments.configs(experiment)
    request = RunRequest(config, Observation(noise_scale=True), paused=True)
    app = BntuiApp(Runner, request, experiments=experiments)
    async with app.run_test(size=(120, 40)), asyncio.timeout(LIMIT):
        while "Does it learn?" not in screen_text(app):
            await asyncio.sleep(0.02)
        app.simulate_key("1")
        while "conclusion" not in screen_text(app):
            await asyncio.sleep(0.02)
            assert app.explorer.run.snapshot.phase is not Phase.FAILED
        while "As you predicted." not in screen_text(app):  # until the conclusion is laid out
            await asyncio.sleep(0.02)
        assert "√ The answer was [1] yes." in screen_text(app)
        assert isinstance(app.screen, ConclusionScreen)
        findings = app.screen.progress.conclusion().findings
    assert [{"text": one.text, "holds": one.holds} for one in findings] == claims
    assert [one.holds for one in findings] == [True, True]


async def test_a_sitting_at_the_explorer() -> None:
    # At its own pace the run would leave little of the CPU to the screen.
    knobs = Knobs(batch_size=64, momentum=0.99, pace=25.0)
    config = RunConfig(train_size=512, width=0.0625, device="cpu", epochs=500, knobs=knobs)
    app = BntuiApp(Runner, RunRequest(config))

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

        await press("C")
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
