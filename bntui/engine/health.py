"""Which BN layers are sound, by their drift, and after how many updates the others will be.

Imports no torch.
"""

import math
from enum import StrEnum

from bntui.engine import rules
from bntui.engine.snapshot import LayerDrift, Snapshot, Validation

WARN_LOG_RATIO = 0.35
FAIL_LOG_RATIO = 0.8
"""Absolute layer means of the log-variance ratio: in trials 0.85 and more failed, 0.30 was sound."""


class Health(StrEnum):
    """What a layer's drift says of it."""

    SOUND = "sound"
    DRIFTING = "drifting"
    STALE = "stale"
    NON_FINITE = "not finite"
    DEAD = "dead"


def health(layer: LayerDrift) -> Health:
    """Judge one layer by its mean log-variance ratio; single channels raise no alarm."""
    ratio = abs(layer.log_var_ratio)
    if layer.non_finite:
        return Health.NON_FINITE
    if math.isnan(ratio):  # no channel carries a signal
        return Health.DEAD
    if ratio >= FAIL_LOG_RATIO:
        return Health.STALE
    return Health.DRIFTING if ratio >= WARN_LOG_RATIO else Health.SOUND


def forecast(layer: LayerDrift, momentum: float) -> float:
    """Return after how many updates the layer will be sound if fresh statistics stand still.

    With running variance v, fresh variance s (both the layer's geometric mean, epsilon included)
    and ρ = e^0.35: ln[(ρ−1)s/(v−s)] / ln m for v > ρs, ln[(1−1/ρ)s/(s−v)] / ln m for v < s/ρ, 0
    between. NaN where a statistic is not finite.
    """
    ratio = math.exp(min(layer.log_var_ratio, 99.0))  # v/s; NaN stays NaN
    rho = math.exp(WARN_LOG_RATIO)
    if math.isnan(ratio):
        return math.nan
    if 1.0 / rho <= ratio <= rho:
        return 0.0
    if momentum == 0.0:
        return 1.0
    left = (rho - 1.0) / (ratio - 1.0) if ratio > 1.0 else (1.0 - 1.0 / rho) / (1.0 - ratio)
    return math.log(left) / math.log(momentum)


def forgetting(snapshot: Snapshot) -> float:
    """Return the share of the run's own statistics that an update leaves: NaN where it grows."""
    if snapshot.knobs.estimator == "cumulative":
        return math.nan
    return rules.kept(snapshot.config, snapshot.knobs)


def worst_layer(validation: Validation) -> LayerDrift | None:
    """Return the layer with the largest absolute mean log-variance ratio; None if all are dead."""
    alive = [layer for layer in validation.layers if math.isfinite(layer.log_var_ratio)]
    return max(alive, key=lambda layer: abs(layer.log_var_ratio), default=None)


def in_updates(ahead: float) -> str:
    """Write a forecast as a whole number of updates, at least one."""
    return f"{max(1, round(ahead)):,}"


def factor(log_ratio: float) -> str:
    """Write a log ratio as a factor: ×4.9, ÷2."""
    if not math.isfinite(log_ratio):
        return "–"
    value = f"{math.exp(min(abs(log_ratio), 99.0)):.3g}"
    return f"÷{value}" if log_ratio < 0 and value != "1" else f"×{value}"
