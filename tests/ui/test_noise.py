"""The gradient noise scale on the screen: over the loss, and where the batch size is turned."""

from dataclasses import replace
from typing import Any

import pytest
from textual.app import App, ComposeResult

from bntui.engine.config import RunConfig
from bntui.engine.snapshot import Divergence, Noise, Snapshot
from bntui.ui.consequence import consequence
from bntui.ui.knobs import BATCH_SIZE
from bntui.ui.noise import noise_scale
from bntui.ui.view import View
from bntui.ui.widgets.results import Results
from tests.ui.scripted import NAN, mid_run

MEASURED = Noise(update=96, scale=912.4, error=123.4, suggested_batch=1024, measurements=8)


def shot(noise: Noise | None = MEASURED, **changes: Any) -> Snapshot:
    return replace(mid_run(RunConfig(width=0.25)), noise=noise, **changes)


@pytest.mark.parametrize(
    ("noise", "words"),
    [
        (None, ""),
        (replace(MEASURED, scale=NAN, error=NAN, suggested_batch=None, measurements=1), ""),
        (
            replace(MEASURED, scale=NAN, error=NAN, suggested_batch=None),
            "noise scale: the gradient is lost in its noise",
        ),
        (MEASURED, "noise scale 910 ± 120 → batch 1,024"),
        (
            replace(MEASURED, scale=5701.0, error=1873.0, suggested_batch=4000),
            "noise scale 5,700 ± 1,900 → batch 4,000",
        ),
    ],
    ids=["not measured", "once", "lost", "found", "large"],
)
def test_it_is_said_with_two_digits_its_error_and_a_batch_size(
    noise: Noise | None, words: str
) -> None:
    assert noise_scale(shot(noise)) == words


def test_of_a_run_that_diverged_nothing_is_said() -> None:
    assert noise_scale(shot(divergence=Divergence(3, "loss"))) == ""


def test_the_batch_sizes_hint_ends_with_it() -> None:
    snapshot = shot()
    hint = consequence(BATCH_SIZE, snapshot.knobs, snapshot)
    assert hint.endswith("activations 90 MB · noise scale 910 ± 120 → batch 1,024")
    hint = consequence(BATCH_SIZE, snapshot.knobs, shot(None))
    assert hint.endswith("activations 90 MB · ×2 a step, to 4,000")


async def test_the_loss_says_it_of_now_and_of_which_bn_statistics() -> None:
    class ResultsApp(App[None]):
        def compose(self) -> ComposeResult:
            yield Results()

    async with ResultsApp().run_test(size=(88, 40)) as pilot:
        results = pilot.app.query_one(Results)

        def titles() -> list[str | None]:
            return [results.query_one(f"#panel-{n}").border_title for n in (1, 2)]

        found = "noise scale 910 ± 120 → batch 1,024"
        results.show(shot())
        assert titles() == ["accuracy", f"loss, log · {found} (BN statistics per half)"]
        results.show(shot(config=RunConfig(norm="none")))
        assert titles() == ["accuracy", f"loss, log · {found}"]
        results.show(shot(config=RunConfig(norm="ghost")))
        assert titles()[1] == f"loss, log · {found} (BN statistics per ghost batch)"
        results.view = View(cursor=40)
        results.show(shot())
        assert titles() == ["accuracy · at update 40", "loss, log · at update 40"]
