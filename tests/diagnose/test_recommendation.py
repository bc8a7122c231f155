"""The recommended momentum: right in hindsight, healing soon, and kept until it is wrong."""

import random
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from bntui.core.config import RunConfig
from bntui.core.measured import Difference, Hindsight
from bntui.core.snapshot import Phase
from bntui.diagnose.recommendation import HORIZON, Look, Row, constant_rows, near, recommended
from bntui.diagnose.remedies import RemedyName
from bntui.diagnose.verdict import verdict
from bntui.measure.hindsight import CAPACITY, Moment, Moments
from tests.diagnose.causes.runs import session, small, train
from tests.train.sessions import snapshot_of
from tests.ui.scripted import mid_run

IMAGES = 200
STALE = 0.8
"""What a run loses to its stale statistics, in accuracy."""


def lost(accuracy: float) -> Difference:
    """Return an evaluation that is worse by so much accuracy, no more surely than 200 images tell."""
    error = max(1.0, abs(accuracy) * IMAGES) ** 0.5 / IMAGES
    return Difference(-accuracy, error, 2.0 * accuracy, 0.02, IMAGES, 0.2)


def look(behind: Mapping[float, float], own: float = 0.99, harm: float = STALE) -> Look:
    """Return a look at momenta that are so far behind the best one."""
    rows = {m: Row(lost(less - harm), lost(less)) for m, less in behind.items()}
    return Look(own, lost(harm), rows)


def heals(stale: float = STALE, own: float = 0.99) -> "Heals":
    return Heals(stale, own)


class Heals:
    """What is lost after `HORIZON` updates, if accuracy falls with the share of old statistics."""

    def __init__(self, stale: float, own: float) -> None:
        self.own, self.stale = own, stale
        self.asked: list[float | None] = []

    def __call__(self, momentum: float | None) -> Difference:
        self.asked.append(momentum)
        kept = self.own if momentum is None else momentum
        return lost(self.stale * kept**HORIZON)


EARLY = {0.5: 0.0, 0.8: 0.3, 0.9: 0.7, 0.95: 0.8, 0.99: 0.8}
LATE = {0.5: 0.0, 0.8: 0.0, 0.9: 0.0, 0.95: 0.01, 0.99: 0.8}


def test_the_largest_that_is_right_and_heals_in_time() -> None:
    assert recommended(None, look(LATE), heals()) == 0.8  # of 0.9 too much is left for too long
    assert recommended(None, look(LATE), heals(stale=0.1)) == 0.9
    assert recommended(None, look(EARLY), heals()) == 0.5


def test_it_is_kept_until_it_is_wrong_by_more_than_noise() -> None:
    said = recommended(None, look(EARLY), heals())
    for behind in (LATE, LATE | {0.5: 0.03}, LATE | {0.5: 0.045}):
        assert recommended(said, look(behind), heals()) == said
    assert recommended(said, look(LATE | {0.5: 0.2}), heals()) == 0.8


def test_noise_does_not_make_it_flicker() -> None:
    """Every row is off by a standard error of 200 images: whichever is the best, one is kept."""
    draws, said, seen = random.Random(0), None, []
    for _ in range(200):
        noisy = {m: max(0.0, less + draws.gauss(0.0, 0.015)) for m, less in LATE.items()}
        said = recommended(said, look(noisy), heals())
        seen.append(said)
    assert len(set(seen)) == 1


def test_a_run_that_does_not_suffer_changes_nothing() -> None:
    assert recommended(None, look(LATE, harm=0.0), heals(0.0)) is None
    assert recommended(0.8, look({0.8: 0.5}, harm=0.01), heals(0.01)) == 0.8


def test_a_run_whose_own_momentum_heals_in_time_needs_no_other() -> None:
    assert recommended(0.5, look(LATE, own=0.8), heals(own=0.8)) == 0.8
    assert recommended(0.8, look(LATE, own=0.99), heals(own=0.99)) == 0.8


def test_its_own_momentum_is_no_recommendation_where_it_does_not_heal() -> None:
    """Once followed it is the run's own; if that suffers again, another one is looked for."""
    behind = {0.5: 0.0, 0.8: 0.0, 0.9: 0.0}
    assert recommended(0.9, look(behind, own=0.9), heals(own=0.9)) == 0.8


def test_where_none_heals_in_time_the_first_that_does() -> None:
    """With few images in a batch low momenta are too noisy, and an epoch has many updates."""
    noisy = {0.5: 0.4, 0.8: 0.2, 0.9: 0.1, 0.97: 0.0, 0.99: 0.0}
    assert recommended(None, look(noisy, own=0.999), heals(own=0.999)) == 0.97
    assert recommended(0.97, look(noisy, own=0.999), heals(own=0.999)) == 0.97


def test_nothing_is_recommended_that_was_not_seen_to_help() -> None:
    assert recommended(None, look({0.5: STALE, 0.8: STALE}), heals()) is None
    assert recommended(None, look({}), heals()) is None


def test_one_that_no_longer_heals_gives_way_to_one_that_does() -> None:
    assert recommended(0.9, look(LATE), heals()) == 0.8


def test_only_what_has_to_be_known_is_measured() -> None:
    """Each question costs an evaluation."""
    measured = heals()
    assert recommended(0.5, look(LATE), measured) == 0.5
    assert measured.asked == [None, 0.5]
    measured = heals(0.0)
    recommended(0.5, look(LATE, harm=0.0), measured)
    assert measured.asked == []


@pytest.mark.parametrize(
    ("accuracy", "images", "wanted"),
    [(0.0, 200, True), (0.02, 200, True), (0.1, 200, False), (0.05, 20, True)],
)
def test_near_is_within_noise(accuracy: float, images: int, wanted: bool) -> None:
    error = max(1.0, accuracy * images) ** 0.5 / images
    assert near(Difference(-accuracy, error, 0.0, 0.01, images, 0.2)) is wanted


def test_what_costs_loss_is_not_near() -> None:
    assert not near(replace(lost(0.0), loss=0.5))


def test_constant_momenta_are_told_from_other_estimators() -> None:
    names = ("0", "0.5", "0.99", "bias-corrected")
    assert list(constant_rows(names, [lost(0.0)] * 4, [lost(0.0)] * 4)) == [0.5, 0.99]


def test_the_evidence_says_why_a_larger_one_that_is_as_good_is_not_recommended() -> None:
    none, gain = lost(0.0), lost(-STALE)
    hindsight = Hindsight(
        names=("0.5", "0.9", "0.99"),
        images=IMAGES,
        updates=np.array([97.0]),
        accuracy=np.array([[0.95], [0.95], [0.15]]),
        own=np.array([0.15]),
        fresh=np.array([0.95]),
        momentum=np.array([0.99]),
        gains=(gain, gain, none),
        behind=(none, none, lost(STALE)),
        recommended=0.5,
    )
    told = verdict(mid_run(RunConfig(), hindsight=hindsight))
    assert told.remedies[-1].momentum == 0.5
    assert told.evidence[-1] == (
        "In hindsight momentum 0.9 is as good, but 16 updates at it leave 19 % of the stale values, "
        "at 0.5 under 1 %."
    )
    highest = replace(hindsight, recommended=0.9)
    assert not verdict(mid_run(RunConfig(), hindsight=highest)).evidence[-1].startswith("In hind")


def test_what_was_recommended_stays_when_the_map_thins_out() -> None:
    """The answers are kept with the moments: no thinning changes one."""
    moments = Moments(("0.5",))
    said: dict[int, float] = {}
    for update in range(3 * CAPACITY):
        before = moments.recommended
        assert update == 0 or before == said[update - 1]
        said[update] = 0.5 if update < CAPACITY else 0.8
        moments.append(Moment(update, (0.9,), 0.1, 0.9, 0.99, recommended=said[update]))
        assert moments.view(IMAGES).recommended == said[update]
    kept = moments.state().moments
    assert len(kept) < CAPACITY
    assert all(moment.recommended == said[moment.update] for moment in kept)


def test_it_goes_on_from_a_state() -> None:
    moments, again = Moments(("0.5",)), Moments(("0.5",))
    moments.append(Moment(4, (0.9,), 0.1, 0.9, 0.99, recommended=0.5))
    again.restore(moments.state())
    assert again.recommended == 0.5


def test_a_run_that_follows_it_is_sound_within_twenty_updates() -> None:
    run = train(session(small(seed=2, train_size=2000)), 40)
    run.observer.validate(asked=True)
    run.observer.look_back(asked=True)
    advised = [one for one in verdict(snapshot_of(run, Phase.RUNNING)).remedies if one.momentum]
    assert [one.name for one in advised] == [RemedyName.SET_MOMENTUM]
    momentum = advised[0].momentum
    before = run.observer.validation
    assert momentum is not None
    assert before
    assert before.fresh.accuracy - before.running.accuracy > 0.1
    for _ in range(20):
        run.train_once(replace(run.knobs, momentum=momentum))
    run.observer.validate(asked=True)
    after = run.observer.validation
    assert after
    assert after.fresh.accuracy - after.running.accuracy <= 0.03
    run.observer.look_back(asked=True)
    assert run.observer.hindsight
    assert run.observer.hindsight.recommended == momentum  # kept, though nothing suffers now
