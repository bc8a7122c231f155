"""The knobs as data: how each is named, shown, stepped through and typed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bntui.core import limits
from bntui.core.config import MOMENTA, OWN_ESTIMATORS, torch_momentum
from bntui.core.text import exact

Setting = float | str | None


@dataclass(frozen=True, slots=True)
class KnobSpec:
    """One knob. Its value is the field `name` of `Knobs`, or of `RunConfig` if it is `structural`."""

    name: str
    label: str
    short: str
    """The label where a row is all the room there is."""
    ladder: Sequence[Setting]
    """The values that ← and → step through, in their order on the knob; None stands above numbers."""
    show: Callable[[Any], str]
    parse: Callable[[str], Setting]
    hint: str
    detail: Callable[[Any], str] | None = None
    """A second line under the value."""
    structural: bool = False
    """Whether another value means a new run."""

    def step(self, value: Setting, by: int) -> Setting:
        """Return the next value of the ladder above (`by` = 1) or below (−1); the ends stay."""
        ladder = self.ladder
        if value in ladder:
            place = ladder.index(value) + by
            return ladder[place] if 0 <= place < len(ladder) else value
        if isinstance(value, str):
            return ladder[-1] if by > 0 else ladder[0]
        if by > 0:
            return next((rung for rung in ladder if _height(rung) > _height(value)), value)
        return next((rung for rung in reversed(ladder) if _height(rung) < _height(value)), value)


def _height(value: Any) -> Any:
    """Return where a number stands on its ladder."""
    return math.inf if value is None else value


SWITCH = {"batch": "on", "none": "off"}
"""What the two norms that the thread compares are called on their knob."""


def _parse_norm(value: str) -> str:
    word = value.strip().lower()
    return {"on": "batch", "off": "none"}.get(word) or limits.parse_norm(word)


def _show_pace(value: float) -> str:
    return "max" if math.isinf(value) else f"{value:g}/s"


BATCH_SIZE = KnobSpec(
    name="batch_size",
    label="batch size",
    short="batch",
    ladder=tuple(2**power for power in range(17)),
    show=lambda value: f"{value:.0f}",
    parse=limits.parse_batch_size,
    hint="Images per update, from the next one on.",
)
NORM = KnobSpec(
    name="norm",
    label="batch norm",
    short="BN",
    ladder=("none", "batch"),
    show=lambda value: SWITCH.get(value, value),
    parse=_parse_norm,
    hint="Another setting starts a new run with the same seed.",
    structural=True,
)
MOMENTUM = KnobSpec(
    name="momentum",
    label="momentum",
    short="m",
    ladder=MOMENTA,
    show=lambda value: exact(value),
    parse=limits.parse_momentum,
    hint="Share of the old running statistics kept at an update.",
    detail=lambda value: f"torch's {exact(torch_momentum(value))}",
)
ESTIMATOR = KnobSpec(
    name="estimator",
    label="estimator",
    short="est",
    ladder=OWN_ESTIMATORS,
    show=str,
    parse=limits.parse_estimator,
    hint=f"How the running statistics are estimated: {', '.join(OWN_ESTIMATORS)}.",
)
LEARNING_RATE = KnobSpec(
    name="learning_rate",
    label="learning rate",
    short="rate",
    ladder=tuple(float(f"{n}e{power}") for power in range(-6, 2) for n in (1, 2, 5)),
    show=lambda value: exact(value),
    parse=limits.parse_learning_rate,
    hint="The optimiser's, from the next update on.",
)
PACE = KnobSpec(
    name="pace",
    label="pace",
    short="pace",
    ladder=(0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, math.inf),
    show=_show_pace,
    parse=limits.parse_pace,
    hint="Updates a second at most, to watch a fast machine.",
)
KNOBS = (BATCH_SIZE, NORM, MOMENTUM, ESTIMATOR, LEARNING_RATE, PACE)
