"""What the same weights score under exchanged statistics: which layer is to blame, and what would heal.

Statistics do not feed back into training, so each question is answered by putting one thing right
and evaluating again. Every function changes nothing. `evaluate` is called with rows of statistics
(2, C) and returns an outcome for each, all on the same images.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bntui.core.measured import (
    ChannelExchange,
    ChannelExchanges,
    Exchange,
    Exchanges,
    LayersWaiting,
    Waiting,
)
from bntui.diagnose.significance import harms
from bntui.measure.evaluation import Outcome

Evaluate = Callable[[Sequence[Tensor]], list[Outcome]]
Left = Callable[[float], float]
"""Returns the share of today's running statistics that so many updates leave."""

PRECISION = 1.05
"""A forecast is searched to within this factor, or one update."""
GONE = 0.003
"""The share of old statistics at which waiting is given up: what is wrong then is not their age."""
LOW_VARIANCE = 10.0
"""A channel's variance is low where its fresh variance is below so many epsilons. Its stale variance, which
scales the output, is then far off: there is little to replace what is left of the start value 1."""
WORST_CHANNELS = 0.25
"""Share of a layer's channels that are exchanged as its worst ones."""
FURTHEST = 1 << 17
"""Updates beyond which nobody waits."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Running and fresh statistics of one moment, both (2, C), and where each layer's channels lie."""

    running: Tensor
    fresh: Tensor
    names: tuple[str, ...]
    channels: tuple[int, ...]

    def fresh_but(self, layer: int, row: Tensor) -> Tensor:
        """Return fresh statistics with those of one layer from `row`."""
        return self._exchanged(self.fresh, row, layer)

    def running_but(self, layer: int, row: Tensor) -> Tensor:
        """Return running statistics with those of one layer from `row`."""
        return self._exchanged(self.running, row, layer)

    def waited(self, left: float) -> Tensor:
        """Return the running statistics once only a share `left` of today's is in them."""
        return torch.lerp(self.fresh, self.running, left)

    def _exchanged(self, row: Tensor, other: Tensor, layer: int) -> Tensor:
        start = sum(self.channels[:layer])
        exchanged = row.clone()
        place = slice(start, start + self.channels[layer])
        exchanged[:, place] = other[:, place]
        return exchanged


def exchange_layers(
    statistics: Statistics, layers: Sequence[int], evaluate: Evaluate, update: int
) -> Exchanges:
    """Find out what each of `layers` does alone, and what putting it alone right does."""
    found = evaluate(
        [
            statistics.running,
            statistics.fresh,
            *(statistics.fresh_but(layer, statistics.running) for layer in layers),
            *(statistics.running_but(layer, statistics.fresh) for layer in layers),
        ]
    )
    running, fresh, *each = found
    alone, rescued = each[: len(layers)], each[len(layers) :]
    return Exchanges(
        update=update,
        images=len(running.losses),
        running=running.score,
        fresh=fresh.score,
        difference=running.less(fresh),
        layers=tuple(
            Exchange(statistics.names[layer], one.less(fresh), other.less(running))
            for layer, one, other in zip(layers, alone, rescued, strict=True)
        ),
    )


def exchange_channels(
    statistics: Statistics,
    layers: Sequence[int],
    epsilon: Tensor,
    evaluate: Evaluate,
    update: int,
) -> ChannelExchanges:
    """Find out what a few channels of each of `layers` do alone: the worst, and those of low variance.

    The worst are furthest off, by the larger of mean gap and log-variance ratio as in `drift.drift`.
    `epsilon` is that of every channel: (C,).
    """
    (running, running_variance), (fresh, variance) = statistics.running, statistics.fresh
    gap = (running - fresh).abs() / (variance + epsilon).sqrt()
    ratio = ((running_variance + epsilon) / (variance + epsilon)).log().abs()
    off = torch.maximum(gap, ratio).nan_to_num(math.inf)
    low = variance < LOW_VARIANCE * epsilon
    parts: list[tuple[int, bool, Tensor]] = []
    for layer in layers:
        start = sum(statistics.channels[:layer])
        count = statistics.channels[layer]
        worst = off[start : start + count].topk(math.ceil(WORST_CHANNELS * count)).indices + start
        few = low[start : start + count].nonzero().flatten() + start
        parts += [(layer, False, worst), *([(layer, True, few)] if len(few) else [])]
    rows = [statistics.fresh.index_copy(1, few, statistics.running[:, few]) for _, _, few in parts]
    best, *each = evaluate([statistics.fresh, *rows])
    return ChannelExchanges(
        update=update,
        images=len(best.losses),
        parts=tuple(
            ChannelExchange(statistics.names[layer], len(few), is_low, one.less(best))
            for (layer, is_low, few), one in zip(parts, each, strict=True)
        ),
    )


def wait(
    statistics: Statistics, left: Left, evaluate: Evaluate, update: int, momentum: float
) -> Waiting:
    """Find out after how many updates validation is sound, if the weights stood still.

    Under left·running + (1 − left)·fresh: after 1, 2, 4, … updates, then between the last of these
    that harms and the next.
    """
    grid = doublings(left)
    fresh, *curve = evaluate(
        [statistics.fresh, *(statistics.waited(left(updates)) for updates in grid)]
    )
    harmful = [place for place, one in enumerate(curve) if harms(one.less(fresh))]
    last = harmful[-1] if harmful else -1

    def is_harmful(updates: Sequence[float]) -> list[bool]:
        rows = [statistics.waited(left(one)) for one in updates]
        return [harms(outcome.less(fresh)) for outcome in evaluate(rows)]

    sound_in = math.inf
    if last + 1 < len(grid):
        low = grid[last] if harmful else 0.0
        sound_in = search([low], [grid[last + 1]], is_harmful)[0]
    scores = [one.score for one in curve]
    return Waiting(
        update=update,
        images=len(fresh.losses),
        fresh=fresh.score,
        curve=tuple((n, s.accuracy, s.loss) for n, s in zip(grid, scores, strict=True)),
        sound_in=sound_in,
        momentum=momentum,
    )


@dataclass(frozen=True, slots=True)
class Turn:
    """Another momentum, turned to after `update` updates: forecasts for it follow from those before.

    What was measured holds: it is what a share of the old statistics does. An update left the share
    `before` of them until now, and leaves `kept` from now on; `before` lies between 0 and 1.
    """

    update: int
    before: float
    kept: float
    momentum: float
    """Of which updates leave `kept`."""

    def of(self, waiting: Waiting) -> Waiting:
        """Return the forecast for all layers."""
        points = ((self._ahead(n, waiting.update), *score) for n, *score in waiting.curve)
        curve = tuple((n, accuracy, loss) for n, accuracy, loss in points if n >= 0.5)
        return replace(
            waiting,
            update=self.update,
            curve=curve or ((1.0, *waiting.curve[-1][1:]),),
            sound_in=self._whole(waiting.sound_in, waiting.update),
            momentum=self.momentum,
        )

    def of_layers(self, waiting: LayersWaiting) -> LayersWaiting:
        """Return the forecasts for single layers."""
        layers = ((name, n and self._whole(n, waiting.update)) for name, n in waiting.layers)
        return replace(waiting, update=self.update, layers=tuple(layers))

    def _ahead(self, updates: float, since: int) -> float:
        left = max(0.0, updates - (self.update - since))
        return left * math.log(self.before) / math.log(max(self.kept, 1e-9))

    def _whole(self, updates: float, since: int) -> float:
        ahead = self._ahead(updates, since)
        return max(1.0, float(math.ceil(ahead))) if math.isfinite(ahead) else ahead


def wait_by_layer(
    statistics: Statistics, layers: Sequence[int], left: Left, evaluate: Evaluate, update: int
) -> LayersWaiting:
    """Find out after how many updates each of `layers` alone does no harm, all others being fresh."""
    fresh, *now = evaluate(
        [
            statistics.fresh,
            *(statistics.fresh_but(layer, statistics.running) for layer in layers),
        ]
    )
    ahead = {
        layer: 0.0
        for layer, outcome in zip(layers, now, strict=True)
        if not harms(outcome.less(fresh))
    }
    open_layers = [layer for layer in layers if layer not in ahead]
    most = doublings(left)[-1]

    def is_harmful(updates: Sequence[float]) -> list[bool]:
        rows = [
            statistics.fresh_but(layer, statistics.waited(left(one)))
            for layer, one in zip(open_layers, updates, strict=True)
        ]
        return [harms(outcome.less(fresh)) for outcome in evaluate(rows)]

    if open_layers:
        count = len(open_layers)
        found = search([0.0] * count, [most] * count, is_harmful)
        still = is_harmful(found) if most in found else [False] * count  # the end was never tried
        for layer, updates, never in zip(open_layers, found, still, strict=True):
            ahead[layer] = math.inf if never else updates
    return LayersWaiting(
        update=update,
        images=len(fresh.losses),
        layers=tuple((statistics.names[layer], ahead[layer]) for layer in layers),
    )


def doublings(left: Left) -> list[float]:
    """Return 1, 2, 4, … updates, until next to nothing of today's statistics is left."""
    grid = [1.0]
    while left(grid[-1]) > GONE and grid[-1] < FURTHEST:
        grid.append(2.0 * grid[-1])
    return grid


def search(
    low: Sequence[float],
    high: Sequence[float],
    is_harmful: Callable[[Sequence[float]], list[bool]],
) -> list[float]:
    """Return, for several searches at once, the number of updates from which on nothing harms.

    Each lies above its `low`, which harms, and at most at its `high`, which does not; halved on the
    logarithm, to within `PRECISION` or one update.
    """
    lows, highs = list(low), list(high)
    while any(b > a + 1.0 and b > PRECISION * a for a, b in zip(lows, highs, strict=True)):
        middle = [
            float(round(math.sqrt(max(a, 1.0) * b))) if b > a + 1.0 else b
            for a, b in zip(lows, highs, strict=True)
        ]
        middle = [
            min(max(m, a + 1.0), b - 1.0) if b > a + 1.0 else b
            for m, a, b in zip(middle, lows, highs, strict=True)
        ]
        for place, harmful in enumerate(is_harmful(middle)):
            if highs[place] > lows[place] + 1.0:
                (lows if harmful else highs)[place] = middle[place]
    return highs
