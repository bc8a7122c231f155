"""The gradient noise scale on the screen: over the loss, and where the batch size is turned."""

from dataclasses import replace
from typing import Any

from textual.app import App, ComposeResult

from bntui.core.config import RunConfig
from bntui.core.measured import Noise
from bntui.core.snapshot import Snapshot
from bntui.ui.drawing.view import View
from bntui.ui.explorer.knob_effects import knob_effect
from bntui.ui.explorer.results import Results
from bntui.ui.widgets.knob_spec import SPECS
from tests.ui.scripted import mid_run

MEASURED = Noise(*(96, 912.4, 1024, 4), low=703.2, high=1288.0, low_68=801.0, high_68=1060.0)
FOUND = "noise scale 700 to 1,300 (95 %) → batch 1,024"


def shot(noise: Noise | None = MEASURED, **changes: Any) -> Snapshot:
    return replace(mid_run(RunConfig(width=0.25)), noise=noise, **changes)


def test_the_batch_sizes_hint_ends_with_it() -> None:
    snapshot = shot()
    hint = knob_effect(SPECS["batch_size"], snapshot.knobs, snapshot)
    assert hint.endswith(f"activations 90 MB · {FOUND}")
    hint = knob_effect(SPECS["batch_size"], snapshot.knobs, shot(None))
    assert hint.endswith("activations 90 MB · each step doubles it, up to 4,000")


async def test_the_loss_says_it_of_now_and_of_which_bn_statistics() -> None:
    class ResultsApp(App[None]):
        def compose(self) -> ComposeResult:
            yield Results()

    async with ResultsApp().run_test(size=(88, 40)) as pilot:
        results = pilot.app.query_one(Results)

        def titles() -> list[str | None]:
            return [results.query_one(f"#panel-{n}").border_title for n in (1, 2)]

        accuracy = "accuracy in training, and in validation with fresh and with running statistics"
        results.show(shot())
        assert titles() == [accuracy, f"loss, log · {FOUND} (BN per part)"]
        results.show(shot(config=RunConfig(norm="none")))
        long = f"loss: training and validation, log · {FOUND}"
        assert titles() == [accuracy, long]
        results.show(shot(config=RunConfig(norm="ghost")))
        assert titles()[1] == f"loss, log · {FOUND} (BN per ghost batch)"
        results.view = View(cursor=40)
        results.show(shot())
        assert titles() == [
            "accuracy: training, validation with fresh and with running statistics · at update 40",
            "loss: training and validation, log · at update 40",
        ]
