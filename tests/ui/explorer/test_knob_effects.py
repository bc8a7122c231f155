"""What the hint says of the start value agrees with what is measured when the time has come."""

from dataclasses import replace
from typing import Any

import pytest

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.measured import Recalibration
from bntui.core.run_request import RunRequest
from bntui.core.settings import parse_change
from bntui.core.snapshot import Phase, Snapshot
from bntui.train.session import Session
from bntui.ui.explorer.knob_effects import knob_effect, start_ahead, start_words
from bntui.ui.widgets.knob_spec import SPECS, KnobSpec
from tests.train.sessions import snapshot_of
from tests.ui.scripted import facts, mid_run
from tests.ui.user import CONFIG

SMALL = RunConfig(
    train_size=100,
    width=0.0625,
    device="cpu",
    epochs=3,
    knobs=Knobs(batch_size=16, momentum=0.97),
)


LOOKS = (0, 1, 10)
"""After how many updates what is foretold is looked at."""


def looked_at(config: RunConfig) -> tuple[list[Snapshot], Snapshot, float]:
    """Train to the end; return the run at some updates, at the end, and what was left there."""
    session = Session(RunRequest(config, Observation(live=False, epoch_ends=False)))
    seen = []
    while not session.finished:
        if session.trainer.update in LOOKS:
            session.observer.validate(asked=True)
        if session.trainer.update - 2 in (-2, *LOOKS):  # not measured since two updates
            seen.append(snapshot_of(session, Phase.RUNNING))
        session.train_once(None)
    return seen, snapshot_of(session, Phase.FINISHED), session.trainer.estimators.start_left


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        *(
            ({"knobs": replace(SMALL.knobs, estimator=estimator)}, ())
            for estimator in ("momentum", "bias-corrected", "cumulative", "warm-up", "scaled")
        ),
        ({"norm": "ghost", "ghost_batch": 8}, ()),
        ({"batch_schedule": "x2/1"}, ()),
        ({"batch_schedule": "3:50"}, ()),
        ({}, ("8:recalibrate",)),
        ({}, ("5:momentum=0.5",)),
        ({}, ("4:estimator=cumulative", "6:estimator=momentum")),
    ],
)
def test_what_is_foretold_is_what_is_left_at_the_end(
    changes: dict[str, Any], at: tuple[str, ...]
) -> None:
    seen, end, left = looked_at(replace(SMALL, at=tuple(map(parse_change, at)), **changes))
    for snapshot in seen[-1:] if at else seen:  # what is still to come of them, nobody knows
        share, when = start_ahead(snapshot.knobs, snapshot, 100)
        assert share == pytest.approx(left, rel=0.05)
        assert when == "after 3 epochs"
    more, when = start_ahead(end.knobs, end, 100)
    assert when == "after 3 more epochs"
    assert more < left or left == 0.0


@pytest.mark.parametrize(
    ("epochs", "said"),
    [(10, "20 % of the start value left after 10 epochs"), (300, "under 1 % of the start value")],
)
def test_it_is_said_in_percent_however_little_it_is(epochs: int, said: str) -> None:
    snapshot = Snapshot(config=CONFIG, facts=facts(), epochs=epochs)
    assert start_words(CONFIG.knobs, snapshot, 4000).startswith(said)


@pytest.mark.parametrize("spec", [SPECS[name] for name in ("batch_size", "momentum", "estimator")])
def test_a_recalibrated_run_has_nothing_left_under_any_knob(spec: KnobSpec) -> None:
    done = Recalibration(97, 0.1, 0.958, applied=True)
    snapshot = mid_run(CONFIG, recalibrated=done)
    assert "· 0 % of the start value left after 10 epochs" in knob_effect(
        spec, snapshot.knobs, snapshot
    )
