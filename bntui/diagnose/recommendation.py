"""Which constant momentum to recommend: one that is right, that heals soon, and that is kept. Imports no torch.

Two questions are measured. Would running statistics at this momentum be right, had it been used all
along? That is its row of the map. And does it heal when it is switched to now? The statistics at hand are
stale, and m^k of them is left after k updates at momentum m.

The answer is made once for each look at all momenta, from the answer before and from what was measured,
and is kept with the look. A fold over the map would not do: the map drops every second look when it is
full, and then the answer for looks long gone could change.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bntui.core.measured import Difference, Hindsight
from bntui.diagnose.significance import ERRORS, harms, helps

HORIZON = 16
"""Updates within which a momentum has to heal, if the weights stood still. They move, and the statistics
follow them, so that it takes up to 20."""
NEAR = 0.02
"""Accuracy by which a momentum may be behind the best in any case: two of a hundred images."""


@dataclass(frozen=True, slots=True)
class Row:
    """What running statistics at one constant momentum give, had it been used all along."""

    gain: Difference
    """Less the run's own running statistics."""
    behind: Difference
    """Less the best row of the map."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at all momenta, at the weights of one update."""

    own: float
    """The run's own momentum."""
    harm: Difference
    """The run's own running statistics less fresh ones."""
    rows: Mapping[float, Row]
    """By constant momentum. 0 is left out: it averages nothing, so a single batch decides."""


Healed = Callable[[float | None], Difference]
"""Returns the accuracy after `HORIZON` more updates at a momentum, less that of fresh statistics, if the
weights stood still; of None, at the run's own."""


def recommended(before: float | None, look: Look, healed: Healed) -> float | None:
    """Return the momentum to recommend after this look, None where there is none.

    The one `before` is kept until it is wrong by more than noise. Else it is the largest momentum that
    is within noise of the best row and heals in time: the larger, the more batches are averaged. Where
    none heals in time, it is the one that is right and heals first. A run whose own momentum heals in
    time needs no other.
    """
    if not harms(look.harm):
        return before
    if near(healed(None)):
        return look.own
    row = look.rows.get(before) if before is not None and before != look.own else None
    if row and not harms(row.behind):
        return before if not harms(healed(before)) else _cure(look, healed) or before
    return _cure(look, healed) or min(_right(look.rows), default=None)


def constant_rows(
    names: Sequence[str], gains: Sequence[Difference], behind: Sequence[Difference]
) -> dict[float, Row]:
    """Return what was measured of the estimators that are constant momenta above 0, by momentum."""
    each = zip(names, gains, behind, strict=True)
    found = {float(name): Row(gain, less) for name, gain, less in each if name[0].isdigit()}
    return {momentum: row for momentum, row in found.items() if momentum > 0.0}


def near(found: Difference) -> bool:
    """Tell whether the first of two evaluations is as good as the second, within noise."""
    lost = -found.accuracy
    one = 1.0 / max(1, found.images)
    return (lost <= NEAR or lost - one <= ERRORS * found.accuracy_error) and not harms(found)


def largest_right(hindsight: Hindsight) -> float | None:
    """Return the largest momentum of the map that is right at its last moment, however fast it heals."""
    if not hindsight.gains:
        return None
    rows = constant_rows(hindsight.names, hindsight.gains, hindsight.behind)
    return max(_right(rows), default=None)


def _cure(look: Look, healed: Healed) -> float | None:
    falling = sorted(_right(look.rows), reverse=True)
    return next((momentum for momentum in falling if near(healed(momentum))), None)


def _right(rows: Mapping[float, Row]) -> list[float]:
    """Return the momenta that were seen to help, and to be as good as the best."""
    return [m for m, row in rows.items() if helps(row.gain) and near(row.behind)]
