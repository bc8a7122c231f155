"""The gradient noise scale in words, for the screen and the command line. Imports no torch."""

import math
from collections.abc import Callable

from bntui.core.measured import Noise
from bntui.core.snapshot import Snapshot

MOST = 1_000_000
"""An end of the interval above it is written as "over 1,000,000"."""


def latest_noise(snapshot: Snapshot) -> str:
    """Return what is known of a run's noise scale, in one line; empty before it is measured."""
    if snapshot.noise is None or snapshot.facts is None or snapshot.divergence:
        return ""
    return noise_words(snapshot.noise, snapshot.facts.train)


def noise_words(noise: Noise, training_images: int) -> str:
    """Return the 95 % interval of the measurements, one end of it, or that nothing is known.

    With the batch size that is suggested, or how the scale stands to all `training_images`.
    """
    if noise.low == 0.0 and noise.high == math.inf:
        return "noise scale unknown: nothing can be told from this sample"
    low, high = _rounded(noise.low, math.floor), _rounded(noise.high, math.ceil)
    ends = low if low == high else f"{low} to {high}"
    scale = f"noise scale {ends if noise.high < math.inf else f'above {low}'} (95 %)"
    if noise.suggested_batch is not None:
        return f"{scale} → batch {noise.suggested_batch:,}"
    if noise.low > training_images:
        return f"{scale}, above all {training_images:,} images"
    if noise.high < math.inf:
        return f"{scale}, near or above all {training_images:,} images"
    return f"{scale}: more can't be told"


def _rounded(value: float, outwards: Callable[[float], int]) -> str:
    """Write a number with two significant digits, rounded so that the interval does not shrink."""
    if value >= MOST:
        return f"over {MOST:,}"
    unit = 10 ** max(0, len(str(int(value))) - 2)
    return f"{outwards(value / unit) * unit:,}"
