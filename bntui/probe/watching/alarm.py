"""How far running statistics are from fresh ones, where nothing tells what that costs.

The measure is the largest of the layers' absolute mean ln((variance + ε) / (fresh variance + ε)).
"""

import math
from collections.abc import Iterable, Sequence
from typing import cast

from torch import Tensor

from bntui.core.config import torch_momentum
from bntui.core.text import exact
from bntui.measure.layers import Layers
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.momentum import TOO_SMALL
from bntui.probe.probed import Probed
from bntui.probe.report_words import ratio

SOUND, FAILS = 0.30, 0.85
"""In trials every training whose validation suffered was at `FAILS` or beyond, every sound one below `SOUND`."""
TO_MEASURE = (
    "bntui.watch(model, validation=loader): both validations of the same weights tell what it costs"
)
LATE = "A lag of a few updates does not show without training=."
NOT_MEASURED = "What that does to validation was not measured: no validation data were given."


def distance(layers: Layers, row: Tensor, fresh: Tensor, places: Iterable[int]) -> float:
    """Return how far a row (2, C) is from fresh statistics; NaN where its numbers are not finite."""
    return abs(furthest(layers, row, fresh, places)[1])


def furthest(
    layers: Layers, row: Tensor, fresh: Tensor, places: Iterable[int]
) -> tuple[str, float]:
    """Return the layer that is furthest from fresh statistics, and its signed mean log-variance ratio.

    NaN where the numbers of one of the layers are not finite; of no layers 0.
    """
    e = layers.epsilon()
    parts = layers.parts(((row[1] + e) / (fresh[1] + e)).log()[None])
    means = {place: float(parts[place].mean()) for place in places}
    if any(not math.isfinite(one) for one in means.values()):
        return "", math.nan
    place = max(means, key=lambda one: abs(means[one]), default=None)
    return (layers.names[place], means[place]) if place is not None else ("", 0.0)


def by_alarm(seen: Probed, unstarted: Tensor, rows: Iterable[tuple[str, Tensor]]) -> Finding:
    """Judge running statistics by their distance from fresh ones alone.

    `unstarted` are the running statistics without what is left of their start values, `rows` those of
    other momenta, each (2, C): what brings them near fresh ones names the cause.
    """
    if seen.fresh_row is None:
        said = "Fresh statistics were not measured: no training batch was seen."
        return Finding(Cause.UNDECIDED, Severity.UNDECIDED, (said,))
    places = list(seen.training_places())
    name, off = furthest(seen.layers, seen.running_row, seen.fresh_row, places)
    if math.isnan(off):
        said = "Statistics are not finite, so that they can't be compared."
        return Finding(Cause.UNDECIDED, Severity.UNDECIDED, (said,))
    if abs(off) <= SOUND:
        said = f"Running variances are near fresh ones: at most {ratio(off)}, channels' ups and downs cancelled out (layer {name})."
        evidence = (said, *([LATE] if seen.collected is None else []), NOT_MEASURED)
        return Finding(Cause.SOUND, Severity.REMARK, evidence)
    said = (
        f"Running variances of layer {name} are {ratio(off)} the fresh ones, channels' ups and downs cancelled out (mean logarithm {off:+.2f}; in "
        f"trials sound trainings had at most ±{SOUND:.2f}, failing ones ±{FAILS:.2f} and more)."
    )
    if abs(off) < FAILS:
        return Finding(Cause.UNDECIDED, Severity.UNDECIDED, (said, NOT_MEASURED), (TO_MEASURE,))
    return _stale(seen, said, unstarted, rows, places)


def _stale(
    seen: Probed,
    said: str,
    unstarted: Tensor,
    rows: Iterable[tuple[str, Tensor]],
    places: list[int],
) -> Finding:
    """Name why statistics are far from fresh ones: by what brings them near."""
    fresh = cast("Tensor", seen.fresh_row)
    evidence = [said, NOT_MEASURED]
    untouched = [place for place in places if seen.states[place].untouched]
    moved = [place for place in places if place not in untouched]
    momenta = [one for place in places if (one := seen.states[place].momentum) is not None]
    near = [one for one, row in rows if distance(seen.layers, row, fresh, places) <= SOUND]
    cause, remedy = (
        Cause.LAG,
        "lower the learning rate before validating, or raise torch's momentum",
    )
    if untouched and (moved or min(momenta, default=1.0) > 0.0):
        cause = Cause.NEVER_UPDATED if len(untouched) == len(places) else Cause.PARTLY_UNTOUCHED
        evidence.append(
            f"{len(untouched)} of {len(places)} layers are at exactly mean 0, variance 1."
        )
        remedy = "train in model.train(), calling the layers themselves"
    elif momenta and min(momenta) < TOO_SMALL and (near or untouched):
        cause = Cause.MOMENTUM_TOO_SMALL
        remedy = "layer.momentum = 0.1 (torch's: the share of the new value)"
    elif (left := distance(seen.layers, unstarted, fresh, places)) <= SOUND:
        cause = Cause.START_VALUES
        evidence.append(
            f"Without what is left of the start values they would be within {ratio(left)}."
        )
        remedy = "train for more updates, with smaller batches, or a larger momentum"
    evidence += _of_momenta(momenta, near)
    return Finding(cause, Severity.WARNING, tuple(evidence), (remedy, TO_MEASURE))


def _of_momenta(momenta: Sequence[float], near: Sequence[str]) -> list[str]:
    """Tell torch's smallest momentum, and which ones, by Keras's numbers, bring statistics near fresh ones."""
    said = [f"torch's momentum is {exact(min(momenta))}."] if momenta else []
    if near:
        torchs = ", ".join(exact(torch_momentum(float(one))) for one in near)
        said.append(
            f"Had torch's momentum been {torchs} all along, they would be within {ratio(SOUND)}."
        )
    return said
