"""What the screen of a sweep says."""

import math
from dataclasses import replace

from bntui.core.sweep import Standing
from bntui.sweeps import phase
from bntui.sweeps.phase import Tile, Value
from bntui.ui.sweeps.app import left_over
from bntui.ui.sweeps.words import (
    epoch_words,
    flowed,
    progress,
    reading,
    settings_at,
    when,
)
from tests.ui.sweeps.scripted import view_of

RUNS = ("a", "b", "c")


class TestProgress:
    def test_no_time_is_told_while_no_run_is_under_way(self) -> None:
        assert progress(view_of(5))[0] == "○ 5 of 24 runs finished · 19 waiting"

    def test_every_standing_is_counted_and_the_rest_left_out_in_turn(self) -> None:
        forms = progress(view_of(14, running=3, failed=1), "2 processes")
        assert forms[0] == (
            "▶ 14 of 24 runs finished · 3 running · 6 waiting · 1 failed · about 6 min left · 2 processes"
        )
        assert forms[-1] == "▶ 14/24"
        assert sorted(forms, key=len, reverse=True) == list(forms)

    def test_a_sweep_that_is_over_and_one_that_nobody_runs(self) -> None:
        assert progress(view_of(24))[0] == "■ all 24 runs finished"
        assert progress(view_of(3))[0] == "○ 3 of 24 runs finished · 21 waiting"
        assert progress(view_of(23, failed=1))[0] == "■ 23 of 24 runs finished · 1 failed"

    def test_what_is_left_is_said_with_the_command_that_goes_on(self) -> None:
        assert left_over(view_of(3)) == (
            "sweep lr-and-batch: 3 of 24 runs are finished; `bntui sweep --resume lr-and-batch` goes on."
        )
        assert left_over(view_of(24)) == "sweep lr-and-batch: 24 of 24 runs are finished."
        assert "1 failed; `bntui sweep --resume lr-and-batch --retry-failed`" in left_over(
            view_of(23, failed=1)
        )


class TestReading:
    def test_it_has_the_value_over_the_seeds_and_the_others(self) -> None:
        tile = Tile(0.5, 0.4, 0.6, 3, RUNS, False, False, 63, 0.53)
        assert reading(Value.GAP, tile, {Value.RUNNING: 0.41}) == [
            "gap 0.500 (0.400 to 0.600, 3 seeds)",
            "running 0.410",
            "53 % of the start values left",
        ]

    def test_it_says_of_how_many_seeds(self) -> None:
        two = Tile(0.5, 0.4, 0.6, 2, RUNS, True, False, 63)
        assert reading(Value.GAP, two, {}) == ["gap 0.500 (0.400 to 0.600, 2 of 3 seeds)"]
        one = Tile(0.5, 0.5, 0.5, 1, RUNS, True, False, 63)
        assert reading(Value.GAP, one, {}) == ["gap 0.500 (1 of 3 seeds)"]
        only = Tile(0.5, 0.5, 0.5, 1, ("a",), False, False, 63)
        assert reading(Value.FRESH, only, {}) == ["fresh 0.500"]

    def test_it_says_what_is_not_measured(self) -> None:
        none = Tile(math.nan, math.nan, math.nan, 0, RUNS, True, False)
        assert reading(Value.GAP, none, {}) == ["gap: not measured yet"]
        assert reading(Value.GAP, none._replace(failed=True), {}) == [
            "gap: not measured, a run failed"
        ]

    def test_where_and_when(self) -> None:
        view = view_of(24)
        shown = phase.diagram(view, phase.first_choice(view))
        assert settings_at(shown, (1, 7)) == [
            "batch size 64",
            "momentum 0.99",
            "learning rate 0.001",
        ]
        assert when(shown, shown.tiles[7][1]) == ["after epoch 4, update 252"]
        until = phase.diagram(view, replace(shown.choice, value=Value.UNTIL_SOUND))
        assert when(until, until.tiles[7][1]) == ["measured up to update 252"]

    def test_epochs(self) -> None:
        view = view_of(24)
        choice = phase.first_choice(view)
        said = [
            epoch_words(phase.diagram(view, replace(choice, epoch=epoch))) for epoch in (0, 1, 3)
        ]
        assert said == ["◂ epoch 4, the newest", "epoch 1 of 4 ▸", "◂ epoch 3 of 4 ▸"]
        assert epoch_words(phase.diagram(view_of(0), choice)) == "no epoch has ended yet"

    def test_parts_stay_whole_where_they_can(self) -> None:
        assert flowed(["one", "two", "three"], 9) == ["one · two", "three"]
        assert flowed(["a very long part"], 8) == ["a very …"]
        assert flowed([], 8) == []


def test_every_standing_has_a_sign_and_is_counted() -> None:
    view = view_of(1)
    for one in Standing:
        cells = tuple(replace(cell, standing=one) for cell in view.cells)
        assert progress(replace(view, cells=cells))[0][0] in "○▶■"
