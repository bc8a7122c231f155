"""A watched model's weights under every row of running statistics: every momentum in hindsight."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from bntui.core.config import torch_momentum
from bntui.core.estimators import ROWS
from bntui.core.measured import Difference
from bntui.diagnose.recommendation import HORIZON, Look, constant_rows, recommended
from bntui.measure.counterfactuals import GONE
from bntui.measure.hindsight import Moment
from bntui.probe.probed import Probed
from bntui.probe.watching.alarm import distance
from bntui.probe.watching.counted import Counted


def rows_of(seen: Probed, statistics: Counted) -> list[Tensor]:
    """Return the statistics (2, C) of every one of `ROWS`."""
    return [statistics.row(name).to(seen.layers.device) for name in ROWS]


def own_momentum(momenta: Iterable[float | None]) -> float:
    """Return the layers' own momentum in Keras's convention; NaN where they differ or are cumulative."""
    several = set(momenta)
    only = several.pop() if len(several) == 1 else None
    return math.nan if only is None else torch_momentum(only)


def looked_back(seen: Probed, statistics: Counted, update: int, before: float | None) -> Moment:
    """Score validation samples under every row; NaN for what was not scored.

    `before` is the momentum that the look before this one has recommended.
    """
    own, fresh = seen.running, seen.fresh
    momentum = own_momentum(statistics.momentum)
    if own is None:
        return Moment(update, (math.nan,) * len(ROWS), math.nan, math.nan, momentum)
    each = [seen.evaluate(row) for row in rows_of(seen, statistics)]
    best = max(each, key=lambda row: (row.score, -row.loss if row.losses is not None else 0.0))
    gains = tuple(row.less(own) for row in each)
    behind = tuple(row.less(best) for row in each)
    chosen = None
    if fresh is not None and not math.isnan(momentum):
        look = Look(momentum, own.less(fresh), constant_rows(ROWS, gains, behind))
        moves = HORIZON * max([1, *statistics.calls])
        chosen = recommended(
            before, look, lambda m: _healed(seen, momentum if m is None else m, moves)
        )
    return Moment(
        update,
        tuple(row.score for row in each),
        own.score,
        fresh.score if fresh else math.nan,
        momentum,
        gains,
        behind,
        chosen,
    )


def _healed(seen: Probed, momentum: float, moves: int) -> Difference:
    """Return the score after so many more moves at a momentum, less that of fresh statistics."""
    assert seen.fresh is not None
    assert seen.fresh_row is not None
    left = momentum**moves
    if left < GONE:
        return seen.fresh.less(seen.fresh)
    waited = torch.lerp(seen.fresh_row, seen.running_row, left)
    return seen.evaluate(waited).less(seen.fresh)


def distances(seen: Probed, statistics: Counted, update: int) -> Moment:
    """Return how far every row is from fresh statistics; NaN where these were not measured."""
    momentum = own_momentum(statistics.momentum)
    if seen.fresh_row is None:
        return Moment(update, (math.nan,) * len(ROWS), math.nan, math.nan, momentum)
    fresh, places = seen.fresh_row, list(seen.training_places())
    own, *each = (
        distance(seen.layers, row, fresh, places)
        for row in (seen.running_row, *rows_of(seen, statistics))
    )
    return Moment(update, tuple(each), own, 0.0, momentum)
