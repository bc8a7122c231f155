"""How long a sweep under way still takes, by what its finished runs took."""

import math
from dataclasses import replace

from bntui.sweeps.time_left import seconds_left, time_left
from tests.ui.sweeps.scripted import DESIGN, view_of


def test_it_is_what_finished_runs_of_the_same_settings_took() -> None:
    view = view_of(8, running=2)  # the first seed has finished, 120 s each
    slow = replace(view.cells[0], seconds=600.0)  # of the same settings: the 9th cell
    view = replace(view, cells=(slow, *view.cells[1:]))
    running = 600.0 - 30.0 + 120.0 - 30.0
    waiting = 6 * 120.0 + 600.0 + 7 * 120.0
    assert seconds_left(view) == (running + waiting) / 2


def test_of_others_it_is_the_mean() -> None:
    view = view_of(2, running=1)
    assert seconds_left(view) == 120.0 - 30.0 + 21 * 120.0


def test_nothing_is_said_before_a_run_has_finished() -> None:
    assert math.isnan(seconds_left(view_of(0, running=2)))
    assert time_left(view_of(0, running=2)) == ""


def test_it_is_said_in_a_fitting_unit() -> None:
    design = replace(DESIGN, seeds=(0,))
    assert time_left(view_of(7, running=1, design=design)) == "about 2 min left"
    cells = view_of(7, running=1, design=design).cells
    view = replace(
        view_of(7, running=1, design=design),
        cells=(*cells[:-1], replace(cells[-1], seconds=80.0)),
    )
    assert time_left(view) == "about 40 s left"
    assert time_left(view_of(2, running=1)) == "about 44 min left"
    slow = [replace(one, seconds=one.seconds * 30) for one in view_of(8, running=2).cells]
    assert time_left(replace(view, design=DESIGN, cells=tuple(slow))) == "about 7.8 h left"
