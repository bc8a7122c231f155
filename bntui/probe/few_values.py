"""Few values per channel: statistics that are mostly chance."""

import math

from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.harm import IN_WEIGHTS, by_mode, compared, harmed, modes_apart
from bntui.probe.momentum import momentum
from bntui.probe.numbers import percent
from bntui.probe.probed import Probed

FEW, SOME = 4, 16
"""Values per channel that are few in any case, and few where the modes differ or a batch has few samples."""
MORE_VALUES = (
    "larger batches (per device: SyncBatchNorm), or a norm without batch statistics such as GroupNorm, "
    "or frozen BN layers"
)


def refused() -> Finding:
    """Name batches of one value per channel, which torch refuses in training mode."""
    evidence = (
        "Every training batch has one value per channel in some layer: torch refuses it in training mode, "
        "since its variance is 0.",
    )
    return Finding(Cause.FEW_VALUES, Severity.UNSOUND, evidence, (MORE_VALUES,))


def few_values(probed: Probed) -> Finding | None:
    """Name few values per channel; they do harm where modes differ or noise alone explains it."""
    values = {place: probed.values(place) or 0 for place in probed.training_places()}
    if not values:
        return None
    place = min(values, key=lambda one: values[one])
    n, batch = values[place], probed.collected.batch if probed.collected else 0
    apart = modes_apart(probed)
    few = n <= FEW or (n <= SOME and batch <= FEW)
    if not few and not (n <= SOME and apart):
        return None
    count = sum(one == n for one in values.values())
    evidence = [
        f"A training batch of {batch} brings "
        f"layer {probed.layers.names[place]} only {n} values per channel ({count} of {len(values)} layers get so "
        f"few): by chance their variance is off by ±{percent(math.sqrt(2.0 / max(1, n - 1)))}, typically."
    ]
    if n > 1:
        evidence.append(
            f"torch's running variance is n/(n−1) = {n / (n - 1):.3g} times what training divides by, in "
            f"{'this layer' if count == 1 else f'each of {count} layers'}."
        )
    evidence.append(by_mode(probed))
    noisy = harmed(probed) and not (
        any(state.untouched for state in probed.states)
        or any(one.severity is Severity.UNSOUND for one in momentum(probed))
    )
    harm = apart or noisy
    evidence.append(compared(probed) if harm else IN_WEIGHTS)
    severity = Severity.UNSOUND if harm else Severity.WARNING
    return Finding(Cause.FEW_VALUES, severity, tuple(evidence), (MORE_VALUES,))
