"""How charts look at a run: every key's effect, as a value."""

import numpy as np
import pytest

from bntui.core.config import RunConfig
from bntui.core.series import Series, SeriesView
from bntui.core.snapshot import Mark, Snapshot
from bntui.ui.drawing.view import Axis, View, along, planned_end, reached, updates_of, x_of
from tests.ui.scripted import mid_run

NEWEST = 100.0
EVERY = range(1, 101)
MARKS = [Mark(20, "lr 1→2"), Mark(50, "recalibrated"), Mark(50, "lr 2→3"), Mark(500, "of another")]


def counted(every: int, count: float, times: int = 10) -> SeriesView:
    """Return a clock that gains `count` at each of so many times, `every` updates apart."""
    series = Series()
    for number in range(1, times + 1):
        series.append(number * every, number * count)
    return series.view()


class TestZoom:
    def test_the_right_end_stays_without_a_crosshair(self) -> None:
        assert View().zoomed(2, NEWEST).window == (50, 100)
        assert View(window=(20, 60)).zoomed(2, NEWEST).window == (40, 60)

    def test_the_crosshair_stays_in_its_place(self) -> None:
        assert View(cursor=25).zoomed(2, NEWEST).window == (12.5, 62.5)
        assert View(cursor=100).zoomed(4, NEWEST).window == (75, 100)

    def test_the_pointer_goes_before_the_crosshair(self) -> None:
        assert View(cursor=25).zoomed(2, NEWEST, 80).window == (40, 90)
        assert View(window=(40, 80)).zoomed(2, NEWEST, 10).window == (40, 60)

    def test_a_crosshair_out_of_sight_counts_as_at_the_edge(self) -> None:
        assert View(window=(40, 80), cursor=10).zoomed(2, NEWEST).window == (40, 60)

    def test_back_out_ends_where_it_began(self) -> None:
        view = View(cursor=25)
        assert view.zoomed(2, NEWEST).zoomed(0.5, NEWEST) == view

    def test_out_stays_within_the_run(self) -> None:
        assert View(window=(80, 100)).zoomed(0.5, NEWEST).window == (60, 100)
        assert View(window=(0, 40), cursor=38).zoomed(0.5, NEWEST).window == (0, 80)
        assert View(window=(10, 70)).zoomed(0.5, NEWEST).window is None

    def test_in_stops_where_too_little_would_be_left(self) -> None:
        deepest = View().zoomed(1000, NEWEST)
        assert deepest.window == (92, 100)
        assert deepest.zoomed(2, NEWEST) == deepest
        assert View().zoomed(1e9, 1_280_000).window == (1_270_000, 1_280_000)

    @pytest.mark.parametrize("newest", [0.0, 1.0, 8.0])
    def test_a_run_that_has_hardly_begun_is_followed(self, newest: float) -> None:
        assert View().zoomed(2, newest) == View()


class TestPan:
    def test_by_a_share_of_the_width(self) -> None:
        assert View(window=(40, 60)).panned(0.5, NEWEST).window == (50, 70)
        assert View(window=(40, 60)).panned(-1, NEWEST).window == (20, 40)

    def test_it_ends_at_the_ends_of_the_run(self) -> None:
        assert View(window=(40, 60)).panned(9, NEWEST).window == (80, 100)
        assert View(window=(40, 60)).panned(-9, NEWEST).window == (0, 20)

    def test_the_whole_run_cannot_be_panned(self) -> None:
        assert View().panned(1, NEWEST) == View()


class TestCrosshair:
    def test_it_appears_on_the_newest(self) -> None:
        assert View().moved(-1, EVERY).cursor == 100
        assert View().moved(10, EVERY).cursor == 100

    def test_it_moves_over_recorded_positions(self) -> None:
        recorded = [4, 8, 12, 13]
        assert View(cursor=8).moved(1, recorded).cursor == 12
        assert View(cursor=8).moved(-1, recorded).cursor == 4
        assert View(cursor=8).moved(2, recorded).cursor == 13
        assert View(cursor=8).moved(-10, recorded).cursor == 4
        assert View(cursor=13).moved(1, recorded).cursor == 13

    def test_between_two_positions_a_step_leads_to_either(self) -> None:
        assert View(cursor=10).moved(1, [8, 12]).cursor == 12
        assert View(cursor=10).moved(-1, [8, 12]).cursor == 8

    def test_without_positions_there_is_none(self) -> None:
        assert View().moved(1, np.array([])) == View()

    def test_a_window_that_loses_it_is_centred_on_it(self) -> None:
        view = View(window=(40, 60), cursor=60)
        assert view.moved(-1, EVERY).window == (40, 60)
        assert view.moved(1, EVERY).window == (51, 71)
        assert view.moved(39, EVERY).window == (80, 100)
        assert View(window=(20, 40)).moved(1, EVERY).window == (80, 100)

    def test_it_is_pointed_at_the_nearest_position(self) -> None:
        assert [View().pointed(update, [4, 8, 12]).cursor for update in (-9, 5.9, 6.1, 99)] == [
            4, 4, 8, 12,
        ]  # fmt: skip
        assert View().pointed(5, np.array([])) == View()

    def test_it_jumps_between_marks(self) -> None:
        assert View(cursor=30).jumped(1, MARKS, NEWEST).cursor == 50
        assert View(cursor=30).jumped(-1, MARKS, NEWEST).cursor == 20
        assert View(cursor=50).jumped(-1, MARKS, NEWEST).cursor == 20
        assert View(window=(80, 100), cursor=90).jumped(-1, MARKS, NEWEST).window == (40, 60)

    def test_it_jumps_to_the_last_mark_first(self) -> None:
        assert View().jumped(1, MARKS, NEWEST).cursor == 50
        assert View().jumped(-1, MARKS, NEWEST).cursor == 50

    def test_without_a_mark_there_it_stays(self) -> None:
        assert View(cursor=50).jumped(1, MARKS, NEWEST).cursor == 50
        assert View().jumped(1, [], NEWEST) == View()


def test_the_axis_goes_round_and_keeps_the_place() -> None:
    view = View(window=(40, 60), cursor=50)
    axes = [view := view.next_axis() for _ in Axis]
    assert [view.axis for view in axes] == [Axis.IMAGES, Axis.SECONDS, Axis.UPDATES]
    assert axes[-1] == View(window=(40, 60), cursor=50)


def test_a_reset_keeps_how_to_draw() -> None:
    view = View(Axis.IMAGES, (40, 60), 50, smooth=True, log_loss=False)
    assert view.reset() == View(Axis.IMAGES, None, None, smooth=True, log_loss=False)


class TestSight:
    @pytest.mark.parametrize(
        ("axis", "expected"),
        [
            (Axis.UPDATES, [32, 32, 64, 128]),
            (Axis.IMAGES, [1000, 1000, 1000, 1000]),
            (Axis.SECONDS, [30, 60, 60, 120]),
        ],
    )
    def test_following_it_grows_by_doubling(self, axis: Axis, expected: list[float]) -> None:
        view = View(axis=axis)
        assert [view.sight(end, None) for end in (0, 32, 60, 100)] == [(0, x) for x in expected]

    def test_it_ends_where_the_run_is_planned_to_and_doubles_beyond(self) -> None:
        ends = [View().sight(end, None, 160.0)[1] for end in (0, 5, 160, 161, 321)]
        assert ends == [160, 160, 160, 320, 640]
        assert View().sight(1, None, 5.0) == (0, 5)
        assert View(axis=Axis.IMAGES).sight(40_000.0000001, None, 40_000.0) == (0, 40_000)
        assert View(window=(40, 60)).sight(100, None, 160.0) == (40, 60)

    def test_the_plan_is_the_runs_unless_a_ghost_went_further(self) -> None:
        run = mid_run(RunConfig(), series={"images": counted(16, 4000.0, times=6)})
        assert [planned_end(run, axis) for axis in Axis] == [158, 40_000, None]
        longer = mid_run(RunConfig(), update=300, series={"images": counted(30, 5000.0)})
        assert planned_end(run, Axis.UPDATES, [("was", longer), ("pin", run)]) == 300
        assert planned_end(run, Axis.IMAGES, [("was", longer)]) == 50_000
        assert planned_end(Snapshot(), Axis.UPDATES, [("was", longer)]) is None

    def test_a_curve_without_a_run_reaches_as_far_as_its_points(self) -> None:
        curve = Snapshot(series={"val_acc": counted(16, 1.0), "images": counted(16, 4000.0)})
        assert [reached(curve, axis) for axis in Axis] == [160, 40_000, 160]
        assert reached(Snapshot(), Axis.UPDATES) == 0

    def test_a_window_is_the_same_updates_in_every_unit(self) -> None:
        view = View(window=(40, 60))
        assert view.sight(100, None) == (40, 60)
        assert view.sight(100, counted(10, 2560)) == (40 * 256, 60 * 256)

    def test_a_clock_that_stands_still_leaves_some_width(self) -> None:
        low, high = View(axis=Axis.SECONDS, window=(40, 60)).sight(0, counted(10, 0.0))
        assert low == 0 < high


class TestClock:
    def test_between_its_times_a_clock_goes_evenly(self) -> None:
        clock = counted(10, 3.0)
        assert x_of([0, 5, 10, 99, 100], clock).tolist() == [0, 1.5, 3, 29.7, 30]
        assert updates_of([0, 1.5, 3, 29.7, 30], clock) == pytest.approx([0, 5, 10, 99, 100])

    def test_it_ends_with_the_run(self) -> None:
        assert x_of(200, counted(10, 3.0)) == 30
        assert x_of(200, Series(2).view()) == 0

    def test_updates_need_no_clock(self) -> None:
        assert x_of(7, None) == updates_of(7, None) == 7

    def test_a_series_keeps_its_values(self) -> None:
        series = counted(10, 1.0)
        assert along(series, None) is series
        moved = along(series, counted(20, 500.0, times=5))
        assert moved.x.tolist() == list(range(250, 2501, 250))
        assert moved.last is series.last
