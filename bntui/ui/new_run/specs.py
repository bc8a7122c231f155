"""The settings that take a new run, as knobs (what their values mean: `meanings.py`)."""

from dataclasses import replace

from bntui.core.config import BN_LAYERS
from bntui.core.settings import SETTINGS
from bntui.ui.widgets.knob_spec import SPECS, KnobSpec

GROUPS = tuple(
    (
        group,
        tuple(
            spec
            for name, spec in SPECS.items()
            if spec.structural and SETTINGS[name].group == group
        ),
    )
    for group in ("network", "training", "run")
)
"""The knobs in their order on the screen, by what they belong to."""


def norm_layers(depth: int) -> KnobSpec:
    """Return the knob for the number of normalisation layers of a network with `depth` more blocks."""
    return replace(SPECS["norm_layers"], ladder=(*range(BN_LAYERS + depth), None))
