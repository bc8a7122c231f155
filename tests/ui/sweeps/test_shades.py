"""Shades: the best value is the brightest, and what counts as sound has a shade of its own."""

import math
from dataclasses import replace

import pytest

from bntui.sweeps import phase
from bntui.sweeps.phase import Value
from bntui.sweeps.words import value_words
from bntui.ui.sweeps.shades import Shades, shades_of
from tests.ui.sweeps.scripted import view_of

GAPS = Shades(Value.GAP, 1.0, 0.0)


@pytest.mark.parametrize("steps", [20, 8, 4])
def test_sound_gaps_have_the_highest_shade_and_no_other_gap_has(steps: int) -> None:
    assert [GAPS.level(gap, steps) for gap in (-0.01, 0.0, 0.05)] == [steps - 1] * 3
    assert GAPS.level(0.051, steps) == steps - 2
    assert GAPS.level(1.0, steps) == 0


def test_a_higher_gap_is_never_brighter() -> None:
    levels = [GAPS.level(gap / 100, 20) for gap in range(101)]
    assert levels == sorted(levels, reverse=True)
    assert set(levels) == set(range(20))


def test_accuracies_go_from_nothing_to_one() -> None:
    shades = Shades(Value.RUNNING, 0.0, 1.0)
    assert [shades.level(one, 20) for one in (0.0, 0.5, 0.999, 1.0)] == [0, 10, 19, 19]


def test_what_is_not_measured_has_no_shade() -> None:
    assert {Shades(one, 1.0, 0.0).level(math.nan, 20) for one in Value} == {-1}


def test_updates_until_sound_are_logarithmic_and_never_is_the_lowest() -> None:
    shades = Shades(Value.UNTIL_SOUND, 1600.0, 16.0)
    assert shades.level(math.inf, 20) == 0
    assert shades.level(1600.0, 20) == 1
    assert shades.level(16.0, 20) == 19
    assert shades.level(160.0, 20) == 10


def test_their_ends_are_those_of_the_diagram() -> None:
    view = view_of(24)
    choice = replace(phase.first_choice(view), value=Value.UNTIL_SOUND)
    shades = shades_of(phase.diagram(view, choice))
    assert shades.ends == ("never yet, 750", "4")
    nothing = shades_of(phase.diagram(view_of(0), choice))
    assert nothing.ends == ("never yet", "at once")
    assert nothing.level(math.inf, 20) == 0


def test_every_gap_of_exactly_the_limit_has_the_highest_shade_though_floats_round() -> None:
    gaps = [right / 360 - (right - 18) / 360 for right in range(18, 361)]
    assert any(gap > 0.05 for gap in gaps)
    assert {GAPS.level(gap, 20) for gap in gaps} == {19}
    assert {value_words(Value.GAP, gap) for gap in gaps} == {".05"}
