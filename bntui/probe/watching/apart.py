"""How far the statistics of a training's ranks are apart, and when that is told."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bntui.measure.layers import Layers
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.numbers import counted, figure
from bntui.probe.watching.counted import RECENT

if TYPE_CHECKING:
    from bntui.probe.watching.ranks import Rows

LEAST = 0.1
"""Deviations in the mean, or a log-variance ratio, below which no difference is told."""
BY_CHANCE = 2.0
"""How many times what chance makes must be exceeded."""
SMALL_BATCH = 4
"""Samples that a rank's batch is taken to have where nobody says it: chance then explains much."""


@dataclass(frozen=True, slots=True)
class Together:
    """The rows (2, C) of all ranks that are compared, rank 0's first."""

    update: int
    ranks: tuple[int, ...]
    rows: tuple[Tensor, ...]
    """Running statistics; those of the last batches where running ones are sent from rank 0."""
    broadcast: bool
    """Whether rank 0's running statistics are sent to all ranks at each forward pass."""

    @classmethod
    def of(cls, heard: "Mapping[int, tuple[Rows, Rows]]") -> "Together":
        """Put together each other rank's rows, and rank 0's at the same update."""
        last = max(theirs.update for _, theirs in heard.values())
        at_last = {other: pair for other, pair in heard.items() if pair[1].update == last}
        pairs = list(at_last.values())
        same_before = all(torch.equal(mine.before, theirs.before) for mine, theirs in pairs)
        same_now = all(torch.equal(mine.own, theirs.own) for mine, theirs in pairs)
        broadcast = same_before and not same_now
        first = pairs[0][0]
        rows = [first, *(theirs for _, theirs in pairs)]
        chosen = tuple(one.recent if broadcast else one.own for one in rows)
        return cls(last, (0, *at_last), chosen, broadcast)

    def pooled(self) -> Tensor:
        """Return the statistics (2, C) of all their batches: the variance counts that of the means."""
        means, variances = torch.stack(self.rows).unbind(1)
        return torch.stack([means.mean(0), variances.mean(0) + means.var(0, correction=0)])


@dataclass(frozen=True, slots=True)
class Apart:
    """How far one row is from rank 0's, in the layer where it is furthest."""

    layer: str
    mean_gap: float
    """Mean over channels of |r − r₀|/√(v₀ + e)."""
    log_var_ratio: float
    """Mean over channels of ln[(v + e)/(v₀ + e)]."""

    @property
    def most(self) -> float:
        """The larger of the two."""
        return max(self.mean_gap, abs(self.log_var_ratio))

    def told(self) -> str:
        """Say both numbers, and where."""
        return (
            f"{self.mean_gap:.2f} standard deviations in the mean and a log-variance ratio of "
            f"{figure(self.log_var_ratio, '+.2f')}, in {self.layer}"
        )


def apart(layers: Layers, first: Tensor, other: Tensor) -> Apart:
    """Compare a row (2, C) with rank 0's, layer by layer, and return the layer that differs most."""
    epsilon = layers.epsilon().cpu()
    (mean, variance), (other_mean, other_variance) = first, other
    gap = (other_mean - mean).abs() / (variance + epsilon).sqrt()
    ratio = ((other_variance + epsilon) / (variance + epsilon)).log()
    each = zip(layers.names, layers.parts(gap), layers.parts(ratio), strict=True)
    found = [Apart(name, float(gaps.mean()), float(ratios.mean())) for name, gaps, ratios in each]
    return max(found, key=lambda one: one.most if math.isfinite(one.most) else math.inf)


def by_chance(momenta: tuple[float | None, ...], batch: int, broadcast: bool) -> float:
    """Return how far apart means over channels are where all ranks draw from the same data.

    The mean of n batches of B independent samples is at most √(1/(nB)) deviations from the truth; its
    difference from another's, √2 times as much, has a mean modulus of √(2/π) of that. Momentum m (torch's)
    averages over (2 − m)/m batches. Log-variances of normal values differ by as much.
    """
    largest = max((one for one in momenta if one is not None), default=0.1)
    batches = RECENT if broadcast else (2.0 - largest) / largest if largest else math.inf
    return math.sqrt(2.0 / math.pi) * math.sqrt(2.0 / (batches * batch))


def finding(
    layers: Layers, together: Together, momenta: tuple[float | None, ...], batch: int | None
) -> Finding | None:
    """Return that ranks differ by more than chance explains, with the numbers, or None."""
    first, *others = together.rows
    found = [apart(layers, first, row) for row in others]
    chance = by_chance(momenta, batch or SMALL_BATCH, together.broadcast)
    place = max(range(len(found)), key=lambda at: found[at].most)
    worst = found[place]
    if not worst.most > max(LEAST, BY_CHANCE * chance):
        return None
    what = (
        f"statistics of the last {RECENT} batches" if together.broadcast else "running statistics"
    )
    off = apart(layers, first, together.pooled())
    evidence = [
        f"At update {together.update:,} the {what} of rank {together.ranks[place + 1]} are furthest from "
        f"rank 0's: {worst.told()}. {counted(len(found), 'rank')} compared with rank 0.",
        f"Chance alone, with batches of {batch or SMALL_BATCH}, would make about {chance:.2f}: the ranks' "
        "batches come from different data.",
        f"Rank 0's are the ones that are saved. From those of all ranks together they are off by {off.told()}.",
    ]
    if together.broadcast:
        evidence.append(
            "DistributedDataParallel sends rank 0's buffers to all ranks before each forward pass "
            "(broadcast_buffers=True): no batch of another rank counts in the running statistics."
        )
    remedies = (
        "DistributedSampler(data, shuffle=True) and sampler.set_epoch(epoch): every rank draws from all data",
        "torch.nn.SyncBatchNorm.convert_sync_batchnorm(model) before DistributedDataParallel: the "
        "statistics of all ranks' batches (on GPUs)",
        "bntui.recalibrate(model, training) with batches of all ranks' data before saving",
    )
    return Finding(Cause.RANKS_DIFFER, Severity.WARNING, tuple(evidence), remedies)
