"""From a snapshot to words: which layers are sound, and what is going on. Imports no torch."""

import math
from dataclasses import dataclass
from enum import StrEnum

from bntui.engine.snapshot import LayerDrift, Phase, Snapshot

WARN_LOG_RATIO = 0.35
FAIL_LOG_RATIO = 0.8
"""Absolute layer means of the log-variance ratio: in trials 0.85 and more failed, 0.30 was sound."""


class Health(StrEnum):
    """What a layer's drift says of it."""

    SOUND = "sound"
    DRIFTING = "drifting"
    STALE = "stale"
    NON_FINITE = "not finite"


def health(layer: LayerDrift) -> Health:
    """Judge one layer by its mean log-variance ratio; single channels raise no alarm."""
    ratio = abs(layer.log_var_ratio)
    if layer.non_finite:
        return Health.NON_FINITE
    if ratio >= FAIL_LOG_RATIO:
        return Health.STALE
    return Health.DRIFTING if ratio >= WARN_LOG_RATIO else Health.SOUND


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is going on."""

    headline: str
    sound: bool | None
    """None while nothing can be said."""
    evidence: tuple[str, ...] = ()
    cure: str = ""


GAP = 0.05
"""A difference between the two validation accuracies that is more than chance on 1,000 images."""


def verdict(snapshot: Snapshot) -> Verdict:
    """Say what `snapshot` shows, from what was measured and nothing else."""
    validation = snapshot.validation
    if snapshot.phase is Phase.FAILED:
        cure = "r tries again, d takes the built-in digits."
        return Verdict("the run failed", False, (snapshot.message,), cure)
    if snapshot.diverged_at is not None:
        evidence = f"The loss is not finite since update {snapshot.diverged_at}."
        return Verdict("diverged", False, (evidence,), "Lower the learning rate, then r.")
    if validation is None:
        return Verdict("waiting for the first validation", None, (snapshot.message,))
    running, fresh = validation.running.accuracy, validation.fresh.accuracy
    numbers = f"Validation {running:.3f} with running statistics, {fresh:.3f} with fresh ones."
    if not snapshot.config.batch_norm:
        return Verdict(
            "no batch norm", True, (f"Validation {running:.3f}; no statistics to drift.",)
        )
    worst = max(validation.layers, key=lambda layer: abs(layer.log_var_ratio))
    if fresh - running <= GAP:
        return Verdict("running statistics are sound", True, (numbers,))
    return Verdict(
        "stale statistics",
        False,
        (
            numbers,
            "The weights are the same: only the statistics differ.",
            f"{worst.start_left:.0%} of the start value is left; {worst.name}'s variance is "
            f"{math.exp(abs(worst.log_var_ratio)):.1f} times too "
            f"{'large' if worst.log_var_ratio > 0 else 'small'}.",
        ),
        "Lower the momentum, or press c.",
    )
