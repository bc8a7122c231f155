"""Options for big machines, as far as a small one can tell: bfloat16 and compiled networks."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bntui.core.config import Knobs, RunConfig
from bntui.data import dataset
from bntui.train.trainer import Trainer

CPU = torch.device("cpu")
SMALL = RunConfig(train_size=256, width=0.125, device="cpu", knobs=Knobs(batch_size=64))


def losses(config: RunConfig, updates: int) -> list[float]:
    trainer = Trainer(config, dataset.load("digits", train_size=256, device=CPU), CPU)
    for _ in range(updates):
        if trainer.epoch_over:
            trainer.begin_epoch()
        trainer.step(config.knobs)
    assert all(weight.dtype == torch.float32 for weight in trainer.model.parameters())
    assert trainer.estimators.rows.dtype == torch.float32
    assert trainer.estimators.rows.isfinite().all()
    return [result.loss for result in trainer.take_results()]


@pytest.mark.parametrize("norm", ["batch", "ghost", "renorm", "group", "none"])
def test_bfloat16_trains_as_float32_does_but_for_its_rounding(norm: str) -> None:
    config = replace(SMALL, norm=norm)
    exact, rounded = losses(config, 12), losses(replace(config, amp=True), 12)
    assert rounded != exact
    assert rounded[0] == pytest.approx(exact[0], rel=0.02)
    assert rounded[-1] < rounded[0]
    assert rounded[-1] == pytest.approx(exact[-1], rel=0.3)


def test_without_a_compiler_there_is_one_sentence(tmp_path: Path) -> None:
    surroundings = os.environ | {
        "CXX": "/bin/false",
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache"),
        "BNTUI_STORE": str(tmp_path / "runs.sqlite"),
    }
    command = [sys.executable, "-m", "bntui", "run", "--compile", "--width", "0.0625"]
    done = subprocess.run(
        [*command, "--steps", "1", "--train-size", "64", "--device", "cpu"],
        env=surroundings,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "leave --compile out" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_a_compiled_network_trains_alike() -> None:
    assert losses(replace(SMALL, compile=True), 12) == pytest.approx(losses(SMALL, 12), rel=0.02)
