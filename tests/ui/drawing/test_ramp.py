"""The ramp of shades: even to the eye, on both grounds, also to colour-blind ones."""

import itertools

import numpy as np
import pytest

from bntui.ui.drawing.ramp import CHARACTERS, STEPS, colours, levels, lightness, sixteen
from bntui.ui.terminal.glyphs import Glyphs

BOTH = pytest.mark.parametrize("dark", [True, False])

# What protanopes, deuteranopes and tritanopes see: Viénot, Brettel & Mollon 1999, in linear RGB.
BLINDNESS = {
    "protanopia": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
    "deuteranopia": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
    "tritanopia": [[1.0, 0.14461, -0.14461], [0.0, 0.85924, 0.14076], [0.0, 0.85924, 0.14076]],
}


def seen(colour: str, blindness: str) -> str:
    """Return a colour as somebody with this blindness sees it."""
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.array(BLINDNESS[blindness]) @ parts**2.2
    return "#" + "".join(f"{round(255 * v ** (1 / 2.2)):02x}" for v in np.clip(linear, 0, 1))


@BOTH
def test_each_colour_is_as_much_lighter_than_the_one_before(dark: bool) -> None:
    light = [lightness(colour) for colour in colours(dark=dark)]
    steps = np.diff(light)
    assert len(light) == STEPS
    assert (steps > 0).all() if dark else (steps < 0).all()
    assert abs(steps).max() < 1.3 * abs(steps).min()


@BOTH
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_the_order_is_the_same_to_colour_blind_eyes(dark: bool, blindness: str) -> None:
    light = np.array([lightness(seen(colour, blindness)) for colour in colours(dark=dark)])
    assert (np.diff(light) > 0).all() if dark else (np.diff(light) < 0).all()


@BOTH
def test_the_lowest_is_not_the_ground_and_the_highest_stands_out_most(dark: bool) -> None:
    ground = lightness("#121212" if dark else "#e0e0e0")
    apart = [abs(lightness(colour) - ground) for colour in colours(dark=dark)]
    if dark:
        assert apart[0] > 0.1
    else:  # yellow is nearly as light as paper: its hue tells it apart
        low = colours(dark=False)[0]
        assert int(low[5:7], 16) < int(low[1:3], 16) - 80
    assert np.argmax(apart) == STEPS - 1


def test_an_accuracy_lies_in_its_step_and_nan_in_the_lowest() -> None:
    values = np.array([0.0, 0.049, 0.05, 0.5, 0.999, 1.0, np.nan, -0.1, 1.1])
    assert levels(values, 20).tolist() == [0, 0, 1, 10, 19, 19, 0, 0, 19]


@pytest.mark.parametrize("glyphs", list(Glyphs))
def test_without_colours_characters_tell_the_shades_apart(glyphs: Glyphs) -> None:
    ramp = CHARACTERS[glyphs]
    assert len(set(ramp)) == len(ramp) >= 5
    assert " " not in ramp
    assert ramp.isascii() == (glyphs is Glyphs.ASCII)


@BOTH
def test_sixteen_colours_go_up_with_the_level(dark: bool) -> None:
    shades = [sixteen(level, 8, dark=dark) for level in range(8)]
    assert [len(list(group)) for _, group in itertools.groupby(shades)] == [2, 2, 2, 2]
