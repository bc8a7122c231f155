"""The table of estimators of running statistics: their names, formulas, and what the screen says of them.

A row of statistics r moves with the statistics b of a batch: r ← k·r + (1−k)·b. An estimator tells which
share k it keeps. Imports no torch.
"""

from collections.abc import Callable
from typing import NamedTuple

MOMENTA = (0.0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
"""The constant momenta that every run keeps running statistics for."""


class Estimator(NamedTuple):
    """One way to make running statistics of a run's batches."""

    name: str
    meaning: str
    """A sentence's end, with {m} for the momentum, {batch} and {base} for the batch size and the one that
    the momentum is meant for, and {moved} for the momentum after scaling."""
    short: str = ""
    """Its name in at most five characters, where every run keeps a row of it."""
    kept: Callable[[float, int, float], float] | None = None
    """Returns the share k at update t = 1, 2, …, from the momentum, t, and the product P of all momenta so
    far. None for the plain momentum, of which a row is kept for each of `MOMENTA`."""


NAMED = (
    Estimator("momentum", "each update keeps {m} of the old value"),
    # Kingma & Ba 2014, 1412.6980: r̂ = (r − P·r₀)/(1 − P). Moved as a row of its own with the weight
    # (1−m)/(1−P), since the subtraction cancels in float32.
    Estimator(
        "bias-corrected",
        "keeps {m} of the old, and divides the start value out as Adam does",
        "b-cor",
        lambda momentum, _, product: 1.0 - (1.0 - momentum) / (1.0 - product),
    ),
    Estimator(
        "cumulative",
        "the mean over all updates so far, each counting the same",
        "cumul",
        lambda _, update, __: 1.0 - 1.0 / update,
    ),
    Estimator(
        "warm-up",
        "keeps 1 - 1/t of the old at update t, and {m} from there on",
        "warm",
        lambda momentum, update, _: min(momentum, 1.0 - 1.0 / update),
    ),
    Estimator("scaled", "keeps {m}^({batch}/{base}) = {moved}, as momentum {m} at batch {base}"),
)
OWN_ESTIMATORS = tuple(one.name for one in NAMED)
"""How a run's own running statistics can be estimated."""
ROWS = (*(f"{momentum:g}" for momentum in MOMENTA), *(one.name for one in NAMED if one.kept))
"""The estimators that every run keeps a row of, whatever its own is."""
_SHORT = {one.name: one.short for one in NAMED if one.short}


def short(row: str) -> str:
    """Return the name of one of `ROWS` in at most five characters: .999, b-cor."""
    return _SHORT.get(row, row.replace("0.", "."))
