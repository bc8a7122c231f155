"""The even ramp of colours from blue to yellow, which stands for values from low to high. Imports no torch.

Each step is as much lighter than the one before, so that colour-blind eyes and black-and-white prints see
the same order. On a light ground the ramp runs the other way: what is higher always stands out more.
"""

import math
from functools import cache

import numpy as np

STEPS = 20
"""Colours of the ramp, unless more are asked for."""

# OKLCH: lightness, chroma, and hue in degrees, at the two ends of the ramp.
_ENDS = {
    True: ((0.36, 0.13, 290.0), (0.94, 0.17, 108.0)),
    False: ((0.88, 0.14, 104.0), (0.30, 0.13, 290.0)),
}


@cache
def colours(*, dark: bool, steps: int = STEPS) -> tuple[str, ...]:
    """Return the ramp's colours as #rrggbb, from the lowest value to the highest."""
    (low, high), each = _ENDS[dark], np.linspace(0.0, 1.0, steps)
    return tuple(_hex(*(a + (b - a) * at for a, b in zip(low, high, strict=True))) for at in each)


def lightness(colour: str) -> float:
    """Return how light #rrggbb looks: OKLab's L, 0 for black and 1 for white."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    long = 0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue
    medium = 0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue
    short = 0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue
    return (
        0.2104542553 * math.cbrt(long)
        + 0.7936177850 * math.cbrt(medium)
        - 0.0040720468 * math.cbrt(short)
    )


def _hex(light: float, chroma: float, hue: float) -> str:
    """Return a colour of OKLCH as #rrggbb, with as much of its chroma as the screen can show."""
    while True:
        parts = _linear(light, chroma, math.radians(hue))
        if chroma <= 0.0 or all(-1e-3 <= part <= 1.001 for part in parts):
            return "#" + "".join(f"{_byte(part):02x}" for part in parts)
        chroma -= 0.005


def _linear(light: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """Return linear red, green and blue (B. Ottosson 2020, "A perceptual color space")."""
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _byte(part: float) -> int:
    part = min(max(part, 0.0), 1.0)
    return round(255 * (12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055))
