"""Runs on their threads, and waiting for what they show."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.snapshot import Phase, Snapshot
from bntui.train.runner import Runner

LIMIT = 30.0
"""Seconds after which a promise counts as broken."""
A_WHILE = 0.2
"""Seconds in which nothing should happen."""
KNOBS = Knobs(batch_size=32)
ENDLESS = RunConfig(train_size=256, width=0.0625, device="cpu", epochs=100_000, knobs=KNOBS)
SHORT = replace(ENDLESS, train_size=64, epochs=1)
"""Two updates an epoch."""
UNOBSERVED = Observation(live=False, epoch_ends=False, epoch_fresh=False)
Make = Callable[..., Runner]


def until(runner: Runner, condition: Callable[[Snapshot], object]) -> Snapshot:
    """Return the first snapshot that meets a condition."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        snapshot = runner.snapshot
        if condition(snapshot):
            return snapshot
        if snapshot.phase is Phase.FAILED:
            break
        time.sleep(0.002)
    snapshot = replace(runner.snapshot, series={}, validation=None, reports=())
    pytest.fail(f"still waiting: {snapshot}")


def until_phase(runner: Runner, phase: Phase) -> Snapshot:
    return until(runner, lambda snapshot: snapshot.phase is phase)


def until_update(runner: Runner, update: int) -> Snapshot:
    return until(runner, lambda snapshot: snapshot.update >= update)


def started(runner: Runner) -> Runner:
    runner.start()
    until_update(runner, 3)
    return runner


def paused(runner: Runner) -> Runner:
    runner.pause()
    runner.start()
    until_phase(runner, Phase.PAUSED)
    return runner
