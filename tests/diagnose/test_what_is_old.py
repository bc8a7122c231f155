"""No verdict rests on what was measured of statistics, momenta or images that are no more."""

import math
from dataclasses import replace

import pytest

from bntui.core.config import Change, Knobs, Observation, RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase, Snapshot
from bntui.diagnose.causes import STALE, Cause
from bntui.diagnose.remedies import RemedyName
from bntui.diagnose.verdict import verdict
from bntui.train.session import Session
from tests.diagnose.causes.runs import few, session, small, train
from tests.train.sessions import snapshot_of

SMALL = RunConfig(
    train_size=600, width=0.125, seed=1, threads=1, knobs=Knobs(batch_size=64, momentum=0.99)
)


@pytest.fixture(scope="module")
def stale_run() -> Session:
    """Return a run in which start values are left, with every question answered."""
    run = train(session(SMALL), 40)
    run.conclude()
    return run


@pytest.fixture(scope="module")
def stale(stale_run: Session) -> Snapshot:
    return snapshot_of(stale_run, Phase.PAUSED)


def test_a_recalibration_at_the_end_of_a_run_that_is_not_watched_is_judged() -> None:
    config = replace(SMALL, steps=40, at=(Change(40, "recalibrate"),))
    unwatched = Observation(live=False)
    run = Session(RunRequest(config, unwatched))
    train(run, 40)
    before = run.observer.validation
    run.conclude()
    snapshot = snapshot_of(run, Phase.FINISHED)
    judged, after = verdict(snapshot), snapshot.validation
    assert before
    assert after
    assert before.difference.accuracy < -0.1
    assert abs(after.difference.accuracy) < 0.1
    assert judged.cause not in STALE
    assert f"→ {after.running.accuracy:.3f}." in " ".join(judged.evidence)


def test_the_momentum_that_is_used_is_not_advised(stale: Snapshot) -> None:
    advised = next(one for one in verdict(stale).remedies if one.name is RemedyName.SET_MOMENTUM)
    assert advised.momentum is not None
    taken = replace(stale, knobs=replace(stale.knobs, momentum=advised.momentum))
    assert RemedyName.SET_MOMENTUM not in {one.name for one in verdict(taken).remedies}


def test_the_other_convention_is_not_judged_by_what_another_momentum_gave(stale: Snapshot) -> None:
    judged = verdict(replace(stale, knobs=replace(stale.knobs, momentum=0.1)))
    assert judged.cause is Cause.START
    assert "is not measured" in " ".join(judged.evidence)


def test_no_more_is_said_than_was_exchanged_and_waited_for(stale: Snapshot) -> None:
    assert stale.waiting
    assert stale.exchanges
    never = replace(stale.waiting, sound_in=math.inf)
    none = replace(stale.exchanges.layers[0].alone, accuracy=0.0, loss=0.0)
    few = tuple(replace(layer, alone=none) for layer in stale.exchanges.layers[:2])
    told = verdict(replace(stale, waiting=never, exchanges=replace(stale.exchanges, layers=few)))
    last = f"{never.curve[-1][0]:,.0f}"
    assert f"would not be sound after {last} updates at momentum 0.99 either" in told.outlook
    assert "None of the 2 layers that drifted most does harm alone" in " ".join(told.evidence)


def test_what_was_reckoned_goes_with_what_it_was_reckoned_for(stale_run: Session) -> None:
    def known() -> set[str]:
        shot = snapshot_of(stale_run, Phase.PAUSED)
        names = ("exchanges", "waiting", "layers_waiting", "data_check")
        found = {name for name in names if getattr(shot, name)}
        return found | ({"comparisons"} if shot.hindsight and shot.hindsight.gains else set())

    knobs = stale_run.knobs
    before = stale_run.observer.questions.waiting
    assert before
    everything = {"exchanges", "waiting", "layers_waiting", "comparisons"}
    assert known() == everything
    stale_run.train_once(replace(knobs, learning_rate=0.002))
    assert known() == everything
    stale_run.train_once(replace(knobs, momentum=0.9))
    assert known() == everything
    waiting = stale_run.observer.questions.waiting
    assert waiting
    assert waiting.momentum == 0.9
    assert waiting.sound_in < before.sound_in / 5
    stale_run.train_once(replace(knobs, estimator="bias-corrected"))
    assert known() == set()


def test_without_statistics_nothing_is_said_of_them_however_few_the_images() -> None:
    run = train(session(small(norm="none"), few(1)), 3)
    run.conclude()
    told = " ".join(verdict(snapshot_of(run, Phase.PAUSED)).evidence)
    assert "there are no statistics that could go stale" in told
    assert "fresh" not in told


def test_an_old_check_of_the_images_does_not_speak_of_now() -> None:
    run = train(session(small(knobs={"momentum": 0.8})), 40)
    run.conclude()
    snapshot = snapshot_of(run, Phase.PAUSED)
    check, validation = snapshot.data_check, snapshot.validation
    assert check
    assert validation
    score = replace(validation.fresh, accuracy=0.4)
    worse = replace(validation, fresh=score, running=score)
    was_equal = replace(check, fresh=check.training_fresh)
    judged = verdict(replace(snapshot, validation=worse, data_check=was_equal))
    assert judged.cause is Cause.UNDECIDED
    assert f"in eval mode ({check.training_images} images, update {check.update})" in " ".join(
        judged.evidence
    )
