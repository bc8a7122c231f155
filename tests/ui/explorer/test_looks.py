"""What is known of every momentum: live looks and ends of epochs in one, the rows, the reading."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bntui.core.config import Knobs, RunConfig
from bntui.core.snapshot import EpochReport, Mark, Snapshot
from bntui.ui.explorer.looks import OWN_ROW, Looks, looks_of, reading
from tests.ui.explorer.mapped import HIGH, LOW, NAMES, TOP_DOWN, hindsight, looks
from tests.ui.scripted import mid_run


def report(update: int, *, own: float = LOW, **rows: float) -> EpochReport:
    """Return an epoch's end, at which every row has `LOW` but those given: `m09` is 0.9's."""
    table = dict.fromkeys(NAMES, LOW) | {f"0.{name[2:]}": value for name, value in rows.items()}
    nothing = math.nan
    figures = (1, update, nothing, nothing, nothing, nothing)
    hindsight = tuple(table.items())
    return EpochReport(*figures, nothing, own, nothing, 0.98, hindsight=hindsight)


def of(snapshot: Snapshot) -> Looks:
    found = looks_of(snapshot)
    assert found is not None
    return found


def run(**changes: Any) -> Snapshot:
    return mid_run(RunConfig(), **({"hindsight": hindsight()} | changes))


class TestMerging:
    def test_ends_of_epochs_lie_between_the_looks_on_more_images(self) -> None:
        found = of(run(reports=(report(16, own=0.3, m09=0.7),)))
        assert found.updates.tolist() == [4, 12, 16, 20]
        assert found.images.tolist() == [200, 200, 1000, 200]
        assert found.row("0.9").tolist() == [LOW, LOW, 0.7, LOW]
        assert found.own.tolist() == [LOW, LOW, 0.3, LOW]
        assert found.fresh[2] == 0.98

    def test_at_the_same_update_the_end_of_the_epoch_counts(self) -> None:
        found = of(run(reports=(report(20, own=0.4, m09=0.7),)))
        assert found.updates.tolist() == [4, 12, 20]
        assert found.row("0.9")[-1] == 0.7
        assert found.images[-1] == 1000

    def test_after_a_recalibration_at_the_end_of_an_epoch_the_look_counts(self) -> None:
        ended = run(reports=(report(12, own=0.2), report(20, own=0.4)))
        cured = replace(
            ended,
            hindsight=hindsight((4, 12, 20, 20), own=(LOW, LOW, LOW, HIGH)),
            marks=(Mark(20, "recalibrated", "recalibrate"),),
        )
        assert of(ended).own.tolist() == [LOW, 0.2, 0.4]
        assert of(cured).own.tolist() == [LOW, 0.2, HIGH]

    def test_ends_of_epochs_alone_are_a_map(self) -> None:
        found = of(run(hindsight=None, reports=(report(16, m09=0.7),)))
        assert found.updates.tolist() == [16]
        assert set(found.names) == set(NAMES)

    def test_without_either_there_is_nothing(self) -> None:
        nothing = replace(report(16), hindsight=())
        assert looks_of(run(hindsight=None)) is None
        assert looks_of(run(hindsight=None, reports=(nothing,))) is None
        assert of(run(reports=(nothing,))).updates.tolist() == [4, 12, 20]

    def test_rows_that_no_version_of_bntui_has_are_left_out(self) -> None:
        odd = replace(report(16), hindsight=(("", 0.1), ("9abc", 0.2), ("0.9", 0.3)))
        assert of(run(hindsight=None, reports=(odd,))).names == ("0.9",)
        assert of(run(reports=(odd,))).updates.tolist() == [4, 12, 20]

    def test_the_momentum_at_an_epochs_end_is_the_last_looks_and_what_changed_since(self) -> None:
        marks = (
            Mark(5, "momentum 0.99→0.5", "momentum=0.5"),  # the look at update 12 has seen it
            Mark(13, "momentum 0.5→0.9", "momentum=0.9"),
            Mark(14, "lr 0.1→0.2", "lr=0.2"),
            Mark(16, "momentum 0.9→0.8", "momentum=0.8"),  # after the end
        )
        live = replace(hindsight(), momentum=np.array([0.99, 0.5, 0.8]))
        assert of(run(hindsight=live, reports=(report(16),), marks=marks)).momentum.tolist() == (
            [0.99, 0.5, 0.9, 0.8]
        )
        odd = (Mark(13, "?", "momentum=much"),)
        assert of(run(hindsight=live, reports=(report(16),), marks=odd)).momentum[2] == 0.5


class TestUnmeasured:
    def test_a_look_stands_for_twice_the_gap_before_it_at_most(self) -> None:
        found = looks((4, 8, 12, 40, 44))
        assert found.ends.tolist() == [12, 16, 20, 96, 44]

    def test_one_short_gap_makes_no_hole(self) -> None:
        found = looks((10, 20, 21, 31, 41))
        assert (found.ends[:-1] >= found.updates[1:]).all()

    def test_looks_to_come_change_no_end_but_the_newest(self) -> None:
        updates = [3, 9, 10, 30, 31, 55]
        for count in range(2, len(updates)):
            before, after = (looks(updates[:n]).ends for n in (count, count + 1))
            assert before[:-1].tolist() == after[: count - 1].tolist()


class TestRows:
    def test_rows_from_high_momenta_down_and_the_other_estimators_last(self) -> None:
        assert looks().rows == TOP_DOWN

    def test_the_own_row_is_the_one_that_the_run_had_all_along(self) -> None:
        assert looks(momentum=0.8).own_row == "0.8"
        assert looks(momentum=0.93, own=(LOW, LOW, LOW)).own_row == OWN_ROW
        assert looks(own=(LOW, LOW, HIGH)).own_row == OWN_ROW  # recalibrated, or turned

    def test_another_estimators_row_is_the_runs_own_if_it_uses_that(self) -> None:
        rows = {"warm-up": (LOW, 0.5, HIGH)}
        live = hindsight(rows=rows, own=rows["warm-up"])
        assert of(run(hindsight=live, knobs=Knobs(estimator="warm-up"))).own_row == "warm-up"

    def test_ties_that_fall_otherwise_make_no_other_row(self) -> None:
        assert looks(own=(LOW, LOW + 0.001, LOW)).own_row == "0.99"
        assert looks(own=(LOW, math.nan, LOW)).own_row == "0.99"
        assert looks(own=(LOW, LOW + 0.005, LOW)).own_row == OWN_ROW  # one of 200 images

    def test_a_run_that_is_like_no_estimator_has_a_row_of_its_own_on_top(self) -> None:
        assert looks(own=(LOW, LOW, HIGH)).rows == [OWN_ROW, *TOP_DOWN]

    @pytest.mark.parametrize(
        ("most", "kept"),
        [
            (1, "0.99"),
            (4, "0.999 0.99 0.9 bias-corrected"),
            (6, "0.999 0.99 0.95 0.9 0 bias-corrected"),
            (12, "0.999 0.995 0.99 0.98 0.97 0.95 0.9 0.8 0.5 0 bias-corrected warm-up"),
        ],
    )
    def test_with_little_room_the_telling_rows_are_kept(self, most: int, kept: str) -> None:
        assert looks().kept(most) == kept.split()

    def test_the_runs_own_row_and_the_chosen_one_are_never_dropped(self) -> None:
        assert looks(momentum=0.8).kept(1) == ["0.8"]
        assert looks(momentum=0.8).kept(2, "0.97") == ["0.97", "0.8"]

    def test_the_row_that_the_headline_recommends_is_not_hidden(self) -> None:
        found = replace(looks(), recommended="0.5")
        assert found.kept(2) == ["0.99", "0.5"]
        live = replace(hindsight(), recommended=0.5)
        assert of(run(hindsight=live)).recommended == "0.5"


class TestNewest:
    def test_it_is_the_last_look_of_which_all_was_measured(self) -> None:
        shown = looks(rows={"0.9": (0.2, 0.3, 0.4)})
        assert shown.newest
        assert shown.newest.updates.tolist() == [20]
        assert shown.newest.row("0.9").tolist() == [0.4]
        part = replace(shown, fresh=np.array([0.9, 0.95, math.nan])).newest
        assert part
        assert part.updates.tolist() == [12]
        assert part.row("0.9").tolist() == [0.3]
        assert replace(shown, fresh=np.full(3, math.nan)).newest is None


class TestReading:
    SHOWN = looks((90, 96, 101), rows={"0.9": (0.9, 0.951, 0.96), "0.99": (0.2, 0.1, 0.3)})

    def test_reads_a_cell_beside_the_runs_own(self) -> None:
        assert reading(self.SHOWN, 96, "0.9") == (
            "update 96 on 200 images, momentum 0.9: 0.951; this run's 0.99: 0.100"
        )

    def test_reads_the_last_moment_before(self) -> None:
        assert reading(self.SHOWN, 95.5, "bias-corrected") == (
            "update 90 on 200 images, bias-corrected: 0.100; this run's 0.99: 0.200"
        )
        assert reading(self.SHOWN, 89, "0.9") == "nothing was measured before update 90"

    def test_reads_the_newest_without_a_cursor(self) -> None:
        told = reading(self.SHOWN, None, "0.9")
        assert told.startswith("update 101 on 200 images, momentum 0.9: 0.960;")

    @pytest.mark.parametrize("row", [OWN_ROW, "0.99"])
    def test_reads_the_runs_own_beside_fresh_statistics(self, row: str) -> None:
        assert reading(self.SHOWN, 96, row) == (
            "update 96 on 200 images, this run's 0.99: 0.100; fresh statistics: 0.974"
        )

    def test_says_the_momentum_of_the_time(self) -> None:
        changed = replace(self.SHOWN, momentum=np.array([0.99, 0.99, 0.9]))
        assert reading(changed, 96, "0.5").endswith("this run's 0.99: 0.100")
        assert reading(changed, 101, "0.5").endswith("this run's 0.9: 0.300")

    def test_images_that_were_not_kept_are_not_said(self) -> None:
        assert reading(replace(self.SHOWN, images=np.zeros(3)), 96, "0.9").startswith("update 96, ")
