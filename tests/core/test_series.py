"""Histories of fixed size: however long a run, no peak, gap or newest value is lost."""

import math
from itertools import pairwise

import numpy as np
import pytest

from bntui.core.series import Series, thinned
from bntui.measure import hindsight as moments_module
from bntui.measure.hindsight import Moment, Moments

rng = np.random.default_rng(0)


def filled(values: list[float], capacity: int = 8) -> Series:
    series = Series(capacity)
    for x, value in enumerate(values, 1):
        series.append(x, value)
    return series


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 17, 1_000])
def test_every_value_lies_between_its_bucket_s_low_and_high(count: int) -> None:
    values = rng.normal(size=count).tolist()
    view = filled(values).view()
    assert len(view) <= 8
    starts = np.concatenate([[0], view.x]).astype(int)
    for bucket, (start, stop) in enumerate(pairwise(starts)):
        inside = values[start:stop]
        assert view.low[bucket] == min(inside)
        assert view.high[bucket] == max(inside)
        assert view.last[bucket] == inside[-1]
    assert starts[-1] == count  # no value is left out


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 17, 33, 1_000])
@pytest.mark.parametrize("odd", [[], [math.nan], [math.inf, -math.inf, math.nan]])
def test_thinned_at_once_it_is_as_if_appended_one_by_one(count: int, odd: list[float]) -> None:
    values = rng.choice([*rng.normal(size=3), *odd], size=count).tolist()
    expected, view = filled(values).view(), thinned(range(1, count + 1), values, 8)
    for name in ("x", "low", "high", "last", "broken"):
        np.testing.assert_array_equal(getattr(view, name), getattr(expected, name))
        assert not getattr(view, name).flags.writeable


def test_extremes_survive_a_hundred_thousand_values_in_constant_memory() -> None:
    values = rng.normal(size=100_000)
    values[12_345], values[67_890] = 99.0, -99.0
    series = Series()
    size = series._values.nbytes
    for x, value in enumerate(values.tolist()):
        series.append(x, value)
    view = series.view()
    assert 512 <= len(view) <= 1024
    assert series._values.nbytes == size
    high, low = int(view.high.argmax()), int(view.low.argmin())
    assert (view.high[high], view.low[low]) == (99.0, -99.0)
    # And where they were, to within a bucket.
    assert view.x[high - 1] < 12_345 <= view.x[high]
    assert view.x[low - 1] < 67_890 <= view.x[low]
    assert view.latest == values[-1]


def test_at_least_half_of_the_capacity_is_in_use_once_it_was_full() -> None:
    series = Series(8)
    for x in range(1_000):
        series.append(x, 0.0)
        assert len(series.view()) >= min(x + 1, 4)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_marks_its_bucket_and_spares_its_neighbours(bad: float) -> None:
    view = filled([1.0, bad, 3.0]).view()
    assert view.broken.tolist() == [False, True, False]
    np.testing.assert_array_equal(view.low, [1.0, math.nan, 3.0])
    # Merged with numbers the bucket keeps theirs, and its mark.
    merged = filled([1.0, bad, 3.0, 4.0, bad, bad, 7.0, 8.0, 9.0]).view()
    assert merged.broken.tolist() == [True, False, True, False, False]
    np.testing.assert_array_equal(merged.low, [1.0, 3.0, math.nan, 7.0, 9.0])
    np.testing.assert_array_equal(merged.high, [1.0, 4.0, math.nan, 8.0, 9.0])
    np.testing.assert_array_equal(merged.last, [math.nan, 4.0, math.nan, 8.0, 9.0])


def test_the_latest_value_is_nan_if_there_is_none_or_if_it_was_none() -> None:
    assert math.isnan(filled([]).view().latest)
    assert math.isnan(filled([1.0, math.inf]).view().latest)
    assert filled([math.nan, 2.0]).view().latest == 2.0


def test_a_view_never_changes_and_cannot_be_changed() -> None:
    series = filled([1.0, 2.0, 3.0])
    view = series.view()
    assert series.view() is view
    for x in range(4, 40):
        series.append(x, -5.0)
    assert view.low.tolist() == [1.0, 2.0, 3.0]
    assert series.view() is not view
    for array in (view.x, view.low, view.high, view.last, view.broken):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("capacity", [-2, 0, 1, 7])
def test_a_capacity_that_cannot_be_halved_is_refused(capacity: int) -> None:
    with pytest.raises(ValueError, match="even"):
        Series(capacity)


# The map of all momenta


def test_moments_thin_out_evenly_and_always_show_the_newest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moments_module, "CAPACITY", 8)
    moments = Moments(("0.9", "0.99"))
    assert not moments
    for update in range(1, 100):
        moments.append(Moment(update, (update / 100, 0.5), 0.25, 0.75, 0.99))
        view = moments.view(200)
        assert view.updates[-1] == update
        assert len(view.updates) <= 8
        assert len(set(np.diff(view.updates[:-1]))) <= 1  # evenly spaced but for the newest
        np.testing.assert_array_equal(view.accuracy[0], view.updates / 100)
    assert moments
    assert view.accuracy.shape == (2, len(view.updates))
    assert moments.view(200) is view
    with pytest.raises(ValueError, match="read-only"):
        view.accuracy[0, 0] = 1.0
