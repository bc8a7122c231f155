"""The gradient noise scale on the screen: over the loss, and where the batch size is turned."""

import math
from dataclasses import replace
from typing import Any

import pytest
from textual.app import App, ComposeResult

from bntui.core.config import RunConfig
from bntui.core.measured import Noise
from bntui.core.snapshot import Divergence, Snapshot
from bntui.ui.drawing.view import View
from bntui.ui.explorer.knob_effects import knob_effect
from bntui.ui.explorer.noise_words import noise_scale
from bntui.ui.explorer.results import Results
from bntui.ui.widgets.knob_spec import SPECS
from tests.ui.scripted import NAN, mid_run

MEASURED = Noise(*(96, 912.4, 1024, 4), low=703.2, high=1288.0, low_68=801.0, high_68=1060.0)
FOUND = "noise scale 700 to 1,300 (95 %) → batch 1,024"


def shot(noise: Noise | None = MEASURED, **changes: Any) -> Snapshot:
    return replace(mid_run(RunConfig(width=0.25)), noise=noise, **changes)


@pytest.mark.parametrize(
    ("noise", "words"),
    [
        (None, ""),
        (MEASURED, FOUND),
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
    assert noise_scale(shot(noise)) == words


def test_of_a_run_that_diverged_nothing_is_said() -> None:
    assert noise_scale(shot(divergence=Divergence(3, "loss"))) == ""


def test_the_batch_sizes_hint_ends_with_it() -> None:
    snapshot = shot()
    hint = knob_effect(SPECS["batch_size"], snapshot.knobs, snapshot)
    assert hint.endswith(f"activations 90 MB · {FOUND}")
    hint = knob_effect(SPECS["batch_size"], snapshot.knobs, shot(None))
    assert hint.endswith("activations 90 MB · ×2 a step, to 4,000")


async def test_the_loss_says_it_of_now_and_of_which_bn_statistics() -> None:
    class ResultsApp(App[None]):
        def compose(self) -> ComposeResult:
            yield Results()

    async with ResultsApp().run_test(size=(88, 40)) as pilot:
        results = pilot.app.query_one(Results)

        def titles() -> list[str | None]:
            return [results.query_one(f"#panel-{n}").border_title for n in (1, 2)]

        results.show(shot())
        assert titles() == ["accuracy", f"loss, log · {FOUND} (BN per part)"]
        results.show(shot(config=RunConfig(norm="none")))
        assert titles() == ["accuracy", f"loss, log · {FOUND}"]
        results.show(shot(config=RunConfig(norm="ghost")))
        assert titles()[1] == f"loss, log · {FOUND} (BN per ghost batch)"
        results.view = View(cursor=40)
        results.show(shot())
        assert titles() == ["accuracy · at update 40", "loss, log · at update 40"]
