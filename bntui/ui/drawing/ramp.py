"""The shades that stand for an accuracy: one even ramp of colours, or of characters without colours."""

import numpy as np
import numpy.typing as npt

from bntui.core.colour_ramp import STEPS, colours, lightness
from bntui.core.series import Array
from bntui.ui.terminal.glyphs import Glyphs

__all__ = [
    "CHARACTERS", "HEAT", "SIXTEEN", "SOLID", "STEPS",
    "colours", "levels", "lightness", "sixteen",
]  # fmt: skip
HEAT = "heat-"
"""How the roles of shades begin; their level follows."""
SOLID = "█" * STEPS
"""What stands for the shades where colours tell them apart."""
CHARACTERS = {Glyphs.BRAILLE: "▁▂▃▄▅▆▇█", Glyphs.BLOCKS: "·░▒▓█", Glyphs.ASCII: ".:-=+*#@"}
"""What stands for the shades where there are too few colours, from the lowest."""
SIXTEEN = {
    True: ("#5555ff", "#00aaaa", "#55ff55", "#ffff55"),
    False: ("#aa5500", "#00aa00", "#0000aa", "#000000"),
}
"""Colours of the sixteen that go with the characters, on a dark ground and on a light one."""


def levels(values: Array, steps: int) -> npt.NDArray[np.intp]:
    """Return which of so many steps from 0 to 1 each value lies in; NaN lies in the lowest."""
    scaled = np.nan_to_num(np.asarray(values, dtype=np.float64)) * steps
    return np.clip(scaled.astype(np.intp), 0, steps - 1)


def sixteen(level: int, steps: int, *, dark: bool) -> str:
    """Return the colour of a level where there are only sixteen."""
    few = SIXTEEN[dark]
    return few[level * len(few) // steps]
