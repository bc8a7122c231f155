"""The knobs as data: how each is named, shown, stepped through and typed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bntui.core.row import Row, Value
from bntui.core.settings import SETTINGS


@dataclass(frozen=True, slots=True)
class KnobSpec:
    """One knob. Its value is the field `name` of `Knobs`, or of `RunConfig` if it is `structural`."""

    name: str
    label: str
    short: str
    """The label where a row is all the room there is."""
    ladder: Sequence[Value]
    """The values that ← and → step through, in their order on the knob; None stands above numbers."""
    show: Callable[[Any], str]
    parse: Callable[[str], Value]
    hint: str
    detail: Callable[[Any], str] | None = None
    """A second line under the value."""
    structural: bool = False
    """Whether another value means a new run."""

    def step(self, value: Value, by: int) -> Value:
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


def spec_of(row: Row) -> KnobSpec:
    """Return the knob of a setting."""
    return KnobSpec(
        name=row.field,
        label=row.label,
        short=row.short,
        ladder=row.steps,
        show=row.show,
        parse=row.parse_typed,
        hint=row.hint,
        detail=row.detail,
        structural=not row.live,
    )


SPECS = {name: spec_of(row) for name, row in SETTINGS.items() if row.steps}
"""The knobs of all settings that have one, by field."""
SWITCH = {"batch": "on", "none": "off"}
"""What the two norms that the thread compares are called on their knob in the explorer."""


def _parse_switch(value: str) -> Value:
    word = value.strip().lower()
    return {"on": "batch", "off": "none"}.get(word) or SPECS["norm"].parse(word)


NORM = replace(
    SPECS["norm"],
    label="batch norm",
    short="BN",
    ladder=("none", "batch"),
    show=lambda value: SWITCH.get(value, value),
    parse=_parse_switch,
    hint="Another setting starts a new run with the same seed.",
)
_LIVE = [spec for spec in SPECS.values() if not spec.structural]
KNOBS = (_LIVE[0], NORM, *_LIVE[1:])
"""The knobs of the explorer."""
