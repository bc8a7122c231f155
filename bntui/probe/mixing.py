"""Causes in what training batches hold: classes that are not mixed, and sources that take turns."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bntui.diagnose.significance import harms
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.harm import (
    IN_WEIGHTS,
    by_mixing,
    by_mode,
    compared,
    harmed,
    modes_apart,
    own_helps,
    together_matters,
    told,
)
from bntui.probe.labels import whole_numbers
from bntui.probe.numbers import percent
from bntui.probe.probed import Probed

UNMIXED = 0.5
"""Share of the entropy of labels that batches drawn at random would have, below which they are sorted."""
LARGEST_SHARE = 0.15
"""Share of variance that lies between batches from which on they differ, beyond what their size explains."""
APART = 0.5
"""Standard deviations between the means of two calls, or two kinds of batches."""


@dataclass(frozen=True, slots=True)
class Mixing:
    """How well training batches mix what there is."""

    entropy: float | None
    """Of labels within a batch, as a share of what batches drawn at random have; None without labels."""
    between: float
    """Share of variance that lies between batches: median over the channels of the layer where it is largest."""
    layer: str
    expected: float
    """What batches drawn at random would have of that, at most."""
    labels: float = math.nan
    """Labels in a batch, on average."""
    classes: int = 0


def mixing(probed: Probed) -> Mixing | None:
    """Measure how batches differ; None for fewer than four of them."""
    found = probed.collected
    if found is None or len(found.rows) < 4:
        return None
    rows = torch.stack([row for row, _ in found.rows]).double()
    between = rows[:, 0].var(0, correction=0)
    total = between + rows[:, 1].mean(0)
    shares = probed.layers.parts((between / total.clamp_min(1e-30)).float()[None])
    called = [place for place, one in enumerate(probed.called) if one]
    medians = {place: float(shares[place].median()) for place in called}
    place = max(medians, key=lambda one: medians[one])
    labels = [one for one in found.labels if len(one) > 1]
    entropy, distinct, classes = None, math.nan, 0
    if labels:
        pooled = torch.cat(labels)
        if probed.running is not None and probed.running.guesses is not None:
            pooled = torch.cat([pooled, *_validation_labels(probed)])
        classes = len(pooled.unique())
        wanted = sum(_expected_entropy(pooled, len(one)) for one in labels)
        entropy = sum(_entropy(one) for one in labels) / wanted if wanted > 0.1 else None
        distinct = sum(len(one.unique()) for one in labels) / len(labels)
    return Mixing(
        entropy,
        medians[place],
        probed.layers.names[place],
        5.0 / found.batch,
        distinct,
        classes,
    )


def _validation_labels(probed: Probed) -> list[Tensor]:
    found = map(whole_numbers, probed.validation)
    return [
        one.flatten().cpu().long() for one in found if one is not None and one.numel() == len(one)
    ]


def _entropy(labels: Tensor) -> float:
    shares = labels.unique(return_counts=True)[1].double() / len(labels)
    return float(-(shares * shares.log()).sum())


def _expected_entropy(pooled: Tensor, batch: int) -> float:
    """Return the entropy that a random batch of labels has: Miller's correction, (K − 1)/2n below all's."""
    classes = len(pooled.unique())
    return max(
        0.0, _entropy(pooled) - (classes - 1) / (2.0 * batch), 0.5 * _entropy(pooled[:batch])
    )


def sorted_batches(probed: Probed) -> Finding | None:
    """Name training batches whose classes are not mixed."""
    mixed = mixing(probed)
    found = probed.collected
    if mixed is None or found is None or found.batch < 4:
        return None
    by_labels = mixed.entropy is not None and mixed.entropy < UNMIXED
    larger = mixed.between > LARGEST_SHARE + mixed.expected
    unlabelled = mixed.entropy is None and _two_kinds(probed) is None
    together = unlabelled and not larger and together_matters(probed)
    if not by_labels and not (unlabelled and larger) and not together:
        return None
    evidence = [by_mixing(probed)] if together else []
    if by_labels:
        evidence.append(
            f"A training batch of {found.batch} holds {mixed.labels:.1f} of {mixed.classes} classes, on "
            f"average: {percent(mixed.entropy or 0.0)} of the entropy of labels that random batches would have."
        )
    if mixed.between > mixed.expected:
        evidence.append(_between(mixed))
    harm = harmed(probed) or modes_apart(probed)
    evidence += [by_mode(probed), compared(probed)] if harm else [IN_WEIGHTS]
    what = "classes" if by_labels else "kinds of samples"
    remedies = (
        f"DataLoader(…, shuffle=True), so that every batch mixes all {what}, and train again",
    )
    severity = Severity.UNSOUND if harm else Severity.WARNING
    apart = (
        ""
        if by_labels
        else "Sources that take turns look the same: compare the samples of two batches."
    )
    return Finding(Cause.SORTED_BATCHES, severity, tuple(evidence), remedies, apart)


def _between(mixed: Mixing) -> str:
    return (
        f"In layer {mixed.layer} {percent(mixed.between)} of the variance lies between batches (random ones: "
        f"at most {percent(mixed.expected)})."
    )


def _two_kinds(probed: Probed) -> Tensor | None:
    """Return which of two kinds each training batch is of, bool (batches,); None where there aren't two.

    By the direction in which batches vary most, of means in standard deviations and of logarithms of
    variances; two kinds lie apart along it by far more than they spread, and have a quarter of the batches.
    """
    found = probed.collected
    if found is None or len(found.rows) < 4:
        return None
    rows = torch.stack([row for row, _ in found.rows]).double()
    means = rows[:, 0] / (rows[:, 1].mean(0) + 1e-12).sqrt()
    both = torch.cat([means, (rows[:, 1] + 1e-12).log()], dim=1).nan_to_num(0.0, 0.0, 0.0)
    along = torch.linalg.svd(both - both.mean(0), full_matrices=False)[0][:, 0]
    order = along.sort().values
    gaps = order[1:] - order[:-1]
    cut = int(gaps.argmax())
    low, high = order[: cut + 1], order[cut + 1 :]
    if min(len(low), len(high)) < max(2, len(order) // 4):
        return None
    spread = max(float(low.std()), float(high.std()), 1e-12)
    if float(high.mean() - low.mean()) < 6.0 * spread:
        return None
    middle = (float(order[cut]) + float(order[cut + 1])) / 2.0
    kinds: Tensor = along.gt(middle)
    return kinds


def mixed_sources(probed: Probed) -> Finding | None:
    """Name layers that get two distributions in turn: of calls in a pass, or of batches."""
    found = probed.collected
    mixed = mixing(probed)
    by_calls = _calls_apart(probed)
    if by_calls is not None and (modes_apart(probed) or own_helps(probed)):
        name, far, calls = by_calls
        evidence = [
            f"Layer {name} is called {calls} times a pass; the means of its calls lie {far:.2g} σ apart, so that its "
            "running statistics fit none of them.",
            by_mode(probed),
            compared(probed),
        ]
        apart = (
            "give each source BN layers of its own, or put both through in one batch, and train again",
            "a norm without batch statistics (GroupNorm) in what is shared",
        )
        return Finding(Cause.MIXED_SOURCES, Severity.UNSOUND, tuple(evidence), apart)
    kinds = _two_kinds(probed)
    if found is None or mixed is None or (mixed.entropy is not None and mixed.entropy < UNMIXED):
        return None
    evidence = []
    if mixed.between > mixed.expected:
        evidence.append(_between(mixed))
    if kinds is None:
        if mixed.entropy is None or not together_matters(probed):
            return None
        evidence = [by_mixing(probed), *evidence]
    elif mixed.between <= LARGEST_SHARE + mixed.expected and not modes_apart(probed):
        return None
    else:
        said = f"Training batches are of two kinds, {int(kinds.sum())} and {int((~kinds).sum())} of them."
        evidence = [said, *evidence]
    cured = None
    if kinds is not None and probed.can_score and probed.running is not None:
        each = []
        for kind in (kinds, ~kinds):
            rows = [row for row, one in zip(found.rows, kind.tolist(), strict=True) if one]
            each.append(probed.evaluate(probed.pooled(rows)))
        cured = max(each, key=lambda one: (one.score, -one.loss))
        evidence.append(
            f"Validation is {told(cured, probed)} under the statistics of one kind alone, "
            f"{told(probed.running, probed)} under the running ones."
        )
    helps = cured is not None and probed.running is not None and harms(probed.running.less(cured))
    harm = helps or modes_apart(probed) or harmed(probed)
    if modes_apart(probed):
        evidence.append(by_mode(probed))
    remedies = (
        "mix the sources in every batch, or give each BN layers of its own (domain-specific BN), and "
        "train again",
    )
    severity = Severity.UNSOUND if harm else Severity.WARNING
    return Finding(Cause.MIXED_SOURCES, severity, tuple(evidence), remedies)


def _calls_apart(probed: Probed) -> tuple[str, float, int] | None:
    """Return the layer whose calls in one pass differ most: (name, σ between them, calls)."""
    found = probed.collected
    if found is None or not found.calls:
        return None
    worst: tuple[str, float, int] | None = None
    by_layer: dict[nn.Module, list[Tensor]] = {}
    for calls in found.calls:
        for layer, each in calls.items():
            by_layer.setdefault(layer, []).append(torch.stack([torch.stack(one) for one in each]))
    for layer, batches in by_layer.items():
        if len({one.shape for one in batches}) > 1:
            continue
        every = torch.stack(batches).double()  # (batches, calls, 2, channels)
        means, variance = every[:, :, 0], every[:, :, 1].mean((0, 1))
        by_call = means.mean(0)
        noise = (
            float((means.std(0).mean(0) / (variance + 1e-12).sqrt()).mean())
            if len(every) > 1
            else 0.0
        )
        far = float(
            ((by_call.max(0).values - by_call.min(0).values) / (variance + 1e-12).sqrt()).mean()
        )
        least = 4.0 * noise / math.sqrt(len(every)) if modes_apart(probed) else APART + 2.0 * noise
        if far > least and (worst is None or far > worst[1]):
            name = probed.layers.names[probed.layers.layers.index(layer)]
            worst = (name, far, every.shape[1])
    return worst
