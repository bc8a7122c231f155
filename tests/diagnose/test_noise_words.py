"""The gradient noise scale in words."""

import math
from dataclasses import replace

import pytest

from bntui.core.config import RunConfig
from bntui.core.measured import Noise
from bntui.core.snapshot import Divergence
from bntui.diagnose.noise_words import latest_noise
from tests.ui.scripted import NAN, mid_run

MEASURED = Noise(*(96, 912.4, 1024, 4), low=703.2, high=1288.0, low_68=801.0, high_68=1060.0)


@pytest.mark.parametrize(
    ("noise", "words"),
    [
        (None, ""),
        (MEASURED, "noise scale 700 to 1,300 (95 %) → batch 1,024"),
        (Noise(96, 3.1, 2, 4, low=0.6, high=9.2), "noise scale 0 to 10 (95 %) → batch 2"),
        (Noise(96, 0.0, 1, 4, low=0.0, high=0.0), "noise scale 0 (95 %) → batch 1"),
        (
            Noise(96, 5701.0, None, 4, low=2960.0, high=8120.0),
            "noise scale 2,900 to 8,200 (95 %), near or above all 4,000 images",
        ),
        (
            Noise(96, 9000.0, None, 4, low=4350.0, high=3e9),
            "noise scale 4,300 to over 1,000,000 (95 %), above all 4,000 images",
        ),
        (
            Noise(96, math.inf, None, 4, low=2960.0),
            "noise scale above 2,900 (95 %): more can't be told",
        ),
        (
            Noise(96, math.inf, None, 4, low=4350.0),
            "noise scale above 4,300 (95 %), above all 4,000 images",
        ),
        (Noise(96, NAN, None, 4), "noise scale unknown: nothing can be told from this sample"),
        (Noise(96, 900.0, 1024, 4), "noise scale unknown: nothing can be told from this sample"),
    ],
    ids=[
        *("not measured", "two ends", "small", "no noise", "near all images", "more than all"),
        *("one end", "one end above all", "not finite", "of an older version"),
    ],
)
def test_it_is_said_between_which_ends_it_lies_or_how_much_can_be_told(
    noise: Noise | None, words: str
) -> None:
    assert latest_noise(replace(mid_run(RunConfig()), noise=noise)) == words


def test_of_a_run_that_diverged_nothing_is_said() -> None:
    diverged = replace(mid_run(RunConfig()), noise=MEASURED, divergence=Divergence(3, "loss"))
    assert latest_noise(diverged) == ""
