"""A curve that is drawn beforehand: where the pencil goes, and how far off the line was."""

import math

import numpy as np
import pytest

from bntui.core.series import thinned
from bntui.experiments.pencil import STEPS, Pencil


def test_it_begins_with_a_level_line_at_the_beginning_of_the_run() -> None:
    pencil = Pencil()
    assert (pencil.share, pencil.accuracy) == (0.0, 0.5)
    assert pencil.line(160.0).last.tolist() == [0.5] * (STEPS + 1)


def test_the_line_is_raised_and_lowered_from_the_pencil_on() -> None:
    pencil = Pencil().moved(5).raised(6).moved(10).raised(-8)
    assert pencil.share == 0.75
    assert pencil.accuracy == pytest.approx(0.4)
    assert pencil.levels == (10,) * 5 + (16,) * 10 + (8,) * 6


def test_the_mouse_puts_it_anywhere() -> None:
    assert Pencil().at(4, 20).at(2, 1).levels == (10,) * 2 + (1,) * 19


def test_it_stays_on_the_paper() -> None:
    assert Pencil().moved(-1).share == 0.0
    assert Pencil().moved(99).share == 1.0
    assert Pencil().raised(99).accuracy == 1.0
    assert Pencil().raised(-99).accuracy == 0.0
    assert Pencil().at(-3, 99).levels == (20,) * (STEPS + 1)


def test_the_line_spans_the_whole_run() -> None:
    line = Pencil().moved(STEPS).raised(2).line(160.0)
    assert line.x.tolist() == [8.0 * place for place in range(STEPS + 1)]
    assert line.low.tolist() == line.high.tolist() == [0.5] * STEPS + [0.6]
    assert not line.broken.any()


def test_how_far_off_it_was_is_an_average_over_the_run() -> None:
    pencil = Pencil().moved(10).raised(6)  # half of the run at 0.5, from the middle on 0.8
    exact = pencil.line(160.0)
    assert pencil.off(exact, 160.0) == pytest.approx(0.0)
    # However often was measured where: the last eleven of the places are 0.3 too high.
    dense = np.unique(np.concatenate([np.arange(0, 20, 0.25), [160.0]]))
    assert pencil.off(thinned(dense, np.full(len(dense), 0.5)), 160.0) == pytest.approx(
        0.3 * 11 / 21
    )


def test_only_what_was_measured_counts() -> None:
    pencil = Pencil().moved(10).raised(6)
    first_half = thinned([1.0, 79.0], [0.4, 0.4])
    assert pencil.off(first_half, 160.0) == pytest.approx(0.1)
    with_gap = thinned([0.0, 40.0, 79.0], [0.4, math.nan, 0.4])
    assert pencil.off(with_gap, 160.0) == pytest.approx(0.1)


@pytest.mark.parametrize("values", [[], [math.nan], [0.5]])
def test_where_nothing_was_measured_nothing_is_known(values: list[float]) -> None:
    measured = thinned([3.0] * len(values), values)
    assert math.isnan(Pencil().off(measured, 160.0))
