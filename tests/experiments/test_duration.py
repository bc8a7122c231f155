"""How long an experiment takes, from what runs like its own took: bounds, and the words for them."""

import math
from dataclasses import replace
from typing import Any

import pytest

from bntui.core.config import Knobs, RunConfig
from bntui.core.snapshot import Snapshot
from bntui.experiments.duration import Duration, Took, duration, in_words, took
from tests.ui.scripted import facts, mid_run

CONFIG = RunConfig(width=0.25, knobs=Knobs(batch_size=250))
"""Ten epochs of 16 full batches: 160 updates of the 4,000 images that `facts` has."""


def measured(batch: int, seconds_an_update: float, *, updates: int = 100, **changes: Any) -> Took:
    """Return a run at one batch size."""
    config = replace(CONFIG, knobs=Knobs(batch_size=batch), **changes)
    return Took(config, facts(), updates, batch * updates, seconds_an_update * updates)


def bounds(time: Duration | None) -> tuple[float, float]:
    assert time is not None
    return time.low, time.high


def at_batch(batch: int, **changes: Any) -> RunConfig:
    return replace(CONFIG, knobs=Knobs(batch_size=batch), **changes)


def test_the_same_run_again_takes_as_long() -> None:
    assert bounds(duration([CONFIG], [measured(250, 0.2)])) == pytest.approx((32.0, 32.0))


def test_a_run_and_its_twin_say_nothing_of_a_run_alone() -> None:
    assert duration([CONFIG], [measured(250, 0.2, twin="momentum=0.9")]) is None
    assert duration([replace(CONFIG, twin="lr=0.01")], [measured(250, 0.2)]) is None


def test_runs_follow_one_another() -> None:
    time = duration([CONFIG, replace(CONFIG, epochs=5)], [measured(250, 0.2)])
    assert bounds(time) == pytest.approx((48.0, 48.0))


def test_one_batch_size_bounds_the_time_of_another() -> None:
    known = [measured(250, 0.2)]
    smaller = bounds(duration([at_batch(25)], known))  # 1,600 updates
    assert smaller == pytest.approx((1600 * 0.02, 1600 * 0.2))
    larger = bounds(duration([at_batch(500)], known))  # 80 updates
    assert larger == pytest.approx((80 * 0.2, 80 * 0.4))


def test_between_two_batch_sizes_the_time_is_on_a_line() -> None:
    known = [measured(250, 0.2), measured(50, 0.1)]
    assert bounds(duration([at_batch(100)], known)) == pytest.approx((400 * 0.125,) * 2)


def test_a_batch_that_grows_counts_by_its_average() -> None:
    grown = at_batch(125, batch_schedule="x2/5")  # 5 · 32 + 5 · 16 updates
    low, high = bounds(duration([grown], [measured(250, 0.2)]))
    assert (low, high) == pytest.approx((160 * 0.2, 240 * 0.2))


def test_of_runs_at_one_batch_size_the_one_of_like_length_counts() -> None:
    known = [measured(250, 0.9, updates=3), measured(250, 0.2, updates=150)]
    assert bounds(duration([CONFIG], known)) == pytest.approx((32.0, 32.0))


def test_the_newest_of_two_alike_counts() -> None:
    known = [measured(250, 0.2), measured(250, 0.9)]
    assert bounds(duration([CONFIG], known)) == pytest.approx((32.0, 32.0))


@pytest.mark.parametrize(
    "other", [{"width": 1.0}, {"depth": 11}, {"dataset": "photos"}, {"train_size": 500}]
)
def test_other_networks_and_data_say_nothing(other: dict[str, Any]) -> None:
    assert duration([CONFIG], [measured(250, 0.2, **other)]) is None
    assert duration([CONFIG], []) is None


def test_another_device_says_nothing() -> None:
    assert duration([replace(CONFIG, device="cuda")], [measured(250, 0.2)]) is None


def test_the_same_norm_counts_before_another() -> None:
    known = [measured(250, 0.9, norm="none"), measured(250, 0.2)]
    assert bounds(duration([CONFIG], known)) == pytest.approx((32.0, 32.0))
    assert duration([replace(CONFIG, norm="group")], known) is not None


def test_with_a_run_that_nothing_is_like_only_the_lower_bound_is_known() -> None:
    time = duration([CONFIG, replace(CONFIG, depth=11)], [measured(250, 0.2)])
    low, high = bounds(time)
    assert low == pytest.approx(32.0)
    assert math.isinf(high)


def test_a_run_that_is_watched_slowly_takes_as_long_as_that() -> None:
    assert bounds(duration([CONFIG], [measured(250, 0.2)], pace=2.0)) == (80.0, 80.0)
    own = replace(CONFIG, knobs=replace(CONFIG.knobs, pace=4.0))
    assert bounds(duration([own], [measured(250, 0.2)], pace=2.0)) == (40.0, 40.0)


def test_a_run_tells_what_it_took_once_there_is_something_to_tell() -> None:
    found = took(mid_run(CONFIG))
    assert found is not None
    assert (found.updates, found.images, found.seconds) == (97, 97 * 256, 21.5)
    assert took(Snapshot()) is None
    assert took(mid_run(CONFIG, update=0, images=0, seconds=0.0)) is None


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (None, "–"),
        (Duration(0.2, 0.2), "about 1 s"),
        (Duration(11.6, 11.6), "about 12 s"),
        (Duration(38.0, 41.0), "about 40 s"),
        (Duration(30.0, 59.0), "about 40 s"),
        (Duration(20.0, 360.0), "20 s to 6 min"),
        (Duration(43.0, math.inf), "over 45 s"),
        (Duration(88.0, 88.0), "about 1.5 min"),
        (Duration(125.0, 125.0), "about 2 min"),
        (Duration(640.0, 640.0), "about 11 min"),
        (Duration(9000.0, 9000.0), "about 2.5 h"),
    ],
)
def test_words_have_no_more_figures_than_an_estimate(time: Duration | None, words: str) -> None:
    assert in_words(time) == words
