"""Which shade stands for a tile's value, and how the value is written. Pure."""

import math
from dataclasses import dataclass

from bntui.sweeps.phase import SOUND_GAP, Diagram, Value, is_small
from bntui.sweeps.words import value_words


@dataclass(frozen=True, slots=True)
class Shades:
    """What the ends of the ramp stand for. The highest shade is the best value."""

    value: Value
    worst: float
    best: float

    def level(self, value: float, steps: int) -> int:
        """Return the shade of a value among so many, from 0 on; −1 for NaN.

        The highest is that of all gaps that are small. Updates until sound are on a logarithmic scale,
        and the lowest shade is for those that never were.
        """
        if math.isnan(value):
            return -1
        if self.value is Value.GAP and is_small(value):
            return steps - 1
        if self.value is Value.UNTIL_SOUND:
            return self._level_of_updates(value, steps)
        best = SOUND_GAP if self.value is Value.GAP else self.best
        room = steps - 1 if self.value is Value.GAP else steps
        good = (value - self.worst) / (best - self.worst)
        return min(max(int(good * room), 0), room - 1)

    def _level_of_updates(self, value: float, steps: int) -> int:
        if math.isinf(value):
            return 0
        span = math.log(self.worst / self.best)
        good = math.log(self.worst / max(value, self.best)) / span if span > 0.0 else 1.0
        return 1 + min(max(int(good * (steps - 1)), 0), steps - 2)

    @property
    def ends(self) -> tuple[str, str]:
        """What stands at the ends of the ramp: the worst value, and the best."""
        match self.value:
            case Value.GAP:
                return "fails 1", f"{SOUND_GAP:g} sound"
            case Value.UNTIL_SOUND:
                if math.isnan(self.best):
                    return value_words(self.value, math.inf), "at once"
                return (
                    f"{value_words(self.value, math.inf)}, {self.worst:,.0f}",
                    f"{self.best:,.0f}",
                )
        return f"{self.worst:g}", f"{self.best:g}"


def shades_of(diagram: Diagram) -> Shades:
    """Return the shades of a diagram: of accuracies from 0 to 1, of updates as many as there are."""
    value = diagram.choice.value
    if value is Value.GAP:
        return Shades(value, 1.0, 0.0)
    if value is not Value.UNTIL_SOUND:
        return Shades(value, 0.0, 1.0)
    updates = [
        tile.median
        for row in diagram.tiles
        for tile in row
        if math.isfinite(tile.median) and tile.median > 0.0
    ]
    if not updates:
        return Shades(value, math.nan, math.nan)
    return Shades(value, max(updates), min(updates))
