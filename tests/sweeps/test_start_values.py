"""What is left of the start values, against what real runs say of their running statistics."""

import math
from dataclasses import replace

import pytest

from bntui.core.config import Change, Knobs, RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.core.sweep import OBSERVED
from bntui.sweeps.start_values import own_momentum, planned_updates, statistics_updates
from bntui.train.session import Session
from tests.train.sessions import snapshot_of

TRAIN = 90
PLAIN = RunConfig(
    train_size=TRAIN, width=1 / 32, device="cpu", epochs=2, knobs=Knobs(batch_size=40, momentum=0.9)
)
"""Three updates an epoch, the last one of ten images."""
GHOST = replace(PLAIN, norm="ghost", ghost_batch=16)
CONFIGS = {
    "plain": PLAIN,
    "steps": replace(PLAIN, steps=5),
    "ghost": GHOST,
    "ghost in the middle of an epoch": replace(GHOST, steps=4),
    "ghost once": replace(GHOST, ghost_updates="once"),
    "ghost of one batch": replace(GHOST, ghost_batch=64),
    "a batch of all images": replace(GHOST, knobs=Knobs(batch_size=200, momentum=0.9)),
    "scaled": replace(PLAIN, base_batch=16, knobs=replace(PLAIN.knobs, estimator="scaled")),
    "scaled ghost": replace(GHOST, base_batch=64, knobs=replace(PLAIN.knobs, estimator="scaled")),
    "bias-corrected": replace(PLAIN, knobs=replace(PLAIN.knobs, estimator="bias-corrected")),
    "warm-up": replace(PLAIN, knobs=replace(PLAIN.knobs, estimator="warm-up")),
    "growing batch": replace(PLAIN, batch_schedule="x2/1"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_left_is_what_the_run_has(name: str) -> None:
    config = CONFIGS[name]
    run = Session(RunRequest(config, replace(OBSERVED, hindsight=False)))
    while not run.finished:
        run.train_once(None)
    report = snapshot_of(run, Phase.FINISHED).reports[-1]
    moves = statistics_updates(config, TRAIN, report.update)
    assert own_momentum(config) ** moves == pytest.approx(report.layers[0].start_left, rel=1e-9)
    if not (config.batch_schedule or config.steps):
        assert planned_updates(config, TRAIN, report.epoch) == report.update


def test_what_is_not_known_is_nan() -> None:
    changed = replace(PLAIN, at=(Change(2, "momentum", 0.5),))
    assert math.isnan(own_momentum(changed))
    assert statistics_updates(changed, TRAIN, 6) == 6  # those of constant momenta are known
    assert own_momentum(replace(PLAIN, at=(Change(2, "learning_rate", 0.5),))) == 0.9
    assert math.isnan(statistics_updates(replace(GHOST, batch_schedule="x2/1"), TRAIN, 6))
    assert math.isnan(statistics_updates(GHOST, 0, 6))
    for norm in ("none", "layer", "group"):
        assert math.isnan(own_momentum(replace(PLAIN, norm=norm)))
        assert math.isnan(statistics_updates(replace(PLAIN, norm=norm), TRAIN, 6))


def test_epochs_that_will_not_be_have_no_updates() -> None:
    assert planned_updates(PLAIN, TRAIN, 2) == 6
    assert planned_updates(PLAIN, TRAIN, 3) == 0
    assert planned_updates(replace(PLAIN, steps=5), TRAIN, 1) == 3
    assert planned_updates(replace(PLAIN, steps=5), TRAIN, 2) == 0
    assert planned_updates(PLAIN, 0, 1) == 0
    assert planned_updates(replace(PLAIN, batch_schedule="x2/1"), TRAIN, 1) == 0
