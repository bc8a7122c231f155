"""Causes that fresh statistics cure: they are not those of the weights at hand, for one reason or another."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from bntui.core.text import exact
from bntui.diagnose.significance import harms, loses_accuracy
from bntui.measure.layers import layers_of, running_statistics
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.harm import RECALIBRATE, compared, harmed, helped_by, named, told
from bntui.probe.momentum import momentum
from bntui.probe.numbers import percent, spanned
from bntui.probe.probed import Probed
from bntui.probe.scoring import Scored

DEFAULT = 0.1
"""torch's own momentum."""
START_PART = 0.5
MUCH = 0.01
"""Share of the start values that may do harm by itself."""


def stale(probed: Probed, averaged_from: nn.Module | None) -> list[Finding]:
    """Return what is named of running statistics that are not those of the weights, or will not be."""
    averaged = _averaged(probed, averaged_from)
    if averaged:
        return [averaged]
    untouched = _untouched(probed)
    if untouched and untouched.severity is Severity.UNSOUND:
        found, explained = [untouched], _explained(probed)
        if not explained:
            found += momentum(probed) or _start_or_lag(probed)
        return found
    found = momentum(probed)
    if not any(one.severity is Severity.UNSOUND for one in found):
        found += _start_or_lag(probed)
    return found + ([untouched] if untouched else [])


def _averaged(probed: Probed, source: nn.Module | None) -> Finding | None:
    """Name averaged weights, where their source or their wrapper is known."""
    wrapped = isinstance(probed.model, AveragedModel)
    if (source is None and not wrapped) or not harmed(probed):
        return None
    evidence = [compared(probed)]
    if source is not None:
        theirs = [running_statistics(layer) for _, layer in layers_of(source)]
        ours = [running_statistics(layer) for layer in probed.layers.layers]
        if len(theirs) == len(ours):
            same = sum(
                all(torch.equal(a.cpu(), b.cpu()) for a, b in zip(one, other, strict=True))
                for one, other in zip(ours, theirs, strict=True)
            )
            evidence.append(
                f"The running statistics of {same} of {len(ours)} layers are bit for bit those of the "
                "model that it was averaged from, whose weights are others."
                if same
                else "Averaging makes no statistics: these were measured with other weights."
            )
    else:
        evidence.append(
            "The model is an AveragedModel: its statistics were measured with other weights than its means."
        )
    untouched = sum(state.untouched for state in probed.states)
    if untouched:
        evidence.append(
            f"{untouched} of {len(probed.states)} layers are at exactly mean 0, variance 1."
        )
    return Finding(
        Cause.AVERAGED_WEIGHTS,
        Severity.UNSOUND,
        tuple(evidence),
        (
            "torch.optim.swa_utils.update_bn(training, model) after averaging, or " + RECALIBRATE,
            "a lower momentum is no cure: no average of the old statistics is that of these weights",
        ),
    )


def _untouched(probed: Probed) -> Finding | None:
    """Name layers whose statistics are exactly the start values."""
    called = [place for place, one in enumerate(probed.called) if one]
    places = [place for place in called if probed.states[place].untouched]
    places = [place for place in places if probed.states[place].trains or probed.harm is None]
    if not places:
        return None
    names = named(probed, places)
    every = all(state.untouched for state in probed.states)
    still = [probed.states[place] for place in places]
    calls_counted = any(one.updates != 0 for one in still)  # None where a layer has no counter
    if calls_counted and all(one.momentum == 0.0 for one in still):
        cause = Cause.MOMENTUM_TOO_SMALL
        evidence = [f"torch's momentum is 0 in {names}: no update moves these statistics."]
        remedies = ["layer.momentum = 0.1 (torch's: the share of the new value)", RECALIBRATE]
    else:
        cause = Cause.NEVER_UPDATED if every else Cause.PARTLY_UNTOUCHED
        which = (
            "Every layer"
            if every
            else f"{len(places)} of {len(probed.states)} layers ({names.partition(' ')[2]})"
        )
        evidence = [f"{which}: every running mean is exactly 0 and every variance exactly 1."]
        updates = {one.updates for one in still if one.updates is not None}
        if updates:
            evidence.append(f"num_batches_tracked says {spanned(updates, 'update')}.")
        if set(places) & set(probed.only_in_eval):
            evidence.append("Eval mode calls them, and training mode does not.")
        remedies = [
            "load a checkpoint with running_mean and running_var (model.state_dict() has both), "
            "and train in model.train(), calling the layers themselves",
            RECALIBRATE,
        ]
    severity = Severity.WARNING
    if helped := helped_by(probed, places):
        severity = Severity.UNSOUND
        evidence.append(helped)
    elif probed.fresh_row is not None and probed.running is not None:
        remedies.remove(RECALIBRATE)
    else:
        severity, said = _without_training(probed)
        evidence.append(said)
    apart = ""
    if every and cause is Cause.NEVER_UPDATED and severity is Severity.UNSOUND:
        apart = (
            "Weights that were averaged (SWA, EMA) into a model of their own look the same: give "
            "averaged_from=, the model that they were averaged from."
        )
    return Finding(cause, severity, tuple(evidence), tuple(remedies), apart)


def _without_training(probed: Probed) -> tuple[Severity, str]:
    """Judge start values without training batches: by the validation samples' own statistics."""
    own, running = probed.own, probed.running
    if own is None or running is None:
        return Severity.WARNING, "What that does to validation was not measured."
    said = (
        f"Under the statistics of the validation samples themselves validation is {told(own, probed)}, "
        f"{told(running, probed)} under the running ones."
    )
    return Severity.UNSOUND if harms(running.less(own)) else Severity.WARNING, said


def _explained(probed: Probed) -> bool:
    """Tell whether fresh statistics in the untouched layers alone cure all of the harm."""
    if probed.fresh is None or probed.fresh_row is None:
        return True
    places = [place for place, state in enumerate(probed.states) if state.untouched]
    if len(places) == len(probed.states):
        return True
    cured = probed.evaluate(probed.with_layers(places, probed.fresh_row))
    return not harms(cured.less(probed.fresh))


def _start_or_lag(probed: Probed) -> list[Finding]:
    """Tell start values from lag by taking the start values out of the running statistics."""
    if not harmed(probed):
        return []
    assert probed.running is not None
    assert probed.fresh is not None
    evidence = [compared(probed)]
    left = [
        0.0 if state.untouched or not state.trains else (state.start_left or 0.0)
        for state in probed.states
    ]
    unknown = all(state.start_left is None for state in probed.states)
    corrected = None if unknown else _without_start(probed, left)
    share = 0.0
    if corrected is not None:
        without = probed.evaluate(corrected)
        share = _share(without, probed)
        evidence.append(
            f"{max(left):.2g} of the start values (mean 0, variance 1) is left; without it validation "
            f"would be {told(without, probed)}: they make "
            f"{'all' if share >= 1 else percent(share)} of the gap."
            if share > 0.0
            else "What is left of the start values makes none of the gap."
        )
    elif unknown:
        why = "momentum was not the same all along"
        if all(state.updates is None for state in probed.states):
            why = "the layers count no updates"
        evidence.append(f"How much of the start values is left is unknown: {why}.")
    else:
        evidence.append("Nothing of the start values is left.")
    if 0.0 < share < START_PART and max(left) >= MUCH:
        alone = probed.evaluate(_with_start(probed, left))
        share = _share(alone, probed, whole=probed.running, none=probed.fresh)
        evidence.append(
            f"Fresh statistics with as much of the start values in them give {told(alone, probed)}: these "
            f"alone explain {'all' if share >= 1 else percent(max(0.0, share))} of the gap."
        )
    momenta = sorted({s.momentum for s in probed.states if s.momentum and s.trains})
    updates = {state.updates for state in probed.states if state.updates is not None}
    if momenta:
        said = (
            exact(momenta[0])
            if len(momenta) == 1
            else f"{exact(momenta[0])} to {exact(momenta[-1])}"
        )
        evidence.append(
            f"torch's momentum is {said}"
            + (f", after {spanned(updates, 'update')}." if updates else ".")
        )
    if any(state.momentum is None and state.updates and state.trains for state in probed.states):
        evidence.append(
            "momentum=None averages over all updates, those of the first weights as much as the last ones."
        )
    evidence.append(_worst_layers(probed))
    if share >= START_PART:
        more = "train for more updates, with smaller batches"
        if momenta and momenta[0] < DEFAULT:
            larger = exact(min(DEFAULT, 10.0 * momenta[0]))
            more += f", or layer.momentum = {larger} (torch's: the share of the new value)"
        remedies = (RECALIBRATE, more)
        return [Finding(Cause.START_VALUES, Severity.UNSOUND, tuple(evidence), remedies)]
    remedies = (
        RECALIBRATE,
        "lower the learning rate before validating, or raise torch's momentum: the statistics are "
        "those of earlier weights",
    )
    apart = (
        "Weights that were averaged or loaded into this model look the same: give averaged_from=, the "
        "model that they were averaged from."
    )
    return [Finding(Cause.LAG, Severity.UNSOUND, tuple(evidence), remedies, apart)]


def _without_start(probed: Probed, left: list[float]) -> Tensor | None:
    """Return the running statistics without their start values; None where nothing of these is left.

    With the share P of the start left, mean 0 and variance 1: r/(1 − P) and (v − P)/(1 − P).
    """
    if max(left) < 1e-4:
        return None
    shares = probed.layers.per_channel(min(one, 1.0 - 1e-6) for one in left)
    mean, variance = probed.running_row
    return torch.stack([mean / (1 - shares), ((variance - shares) / (1 - shares)).clamp_min(0.0)])


def _with_start(probed: Probed, left: list[float]) -> Tensor:
    """Return fresh statistics with the share of the start values that is left: P·(0, 1) + (1 − P)·fresh."""
    assert probed.fresh_row is not None
    shares = probed.layers.per_channel(left)
    mean, variance = probed.fresh_row
    return torch.stack([(1 - shares) * mean, shares + (1 - shares) * variance])


def _share(
    part: Scored, probed: Probed, none: Scored | None = None, whole: Scored | None = None
) -> float:
    """Return how much of the way from `none` to `whole` is made by `part`: by default from running to fresh."""
    none, whole = none or probed.running, whole or probed.fresh
    assert none is not None
    assert whole is not None
    assert probed.harm is not None
    if whole.losses is not None and not loses_accuracy(probed.harm):
        way, made = whole.loss - none.loss, part.loss - none.loss
    else:
        way, made = whole.score - none.score, part.score - none.score
    return made / way if way else 0.0


def _worst_layers(probed: Probed) -> str:
    """Say which layers' means are furthest from fresh ones."""
    assert probed.fresh_row is not None
    deviation = (probed.fresh_row[1] + probed.layers.epsilon()).sqrt()
    gaps = (probed.running_row[0] - probed.fresh_row[0]).abs() / deviation
    means = [float(part.mean()) for part in probed.layers.parts(gaps)]
    worst = sorted(range(len(means)), key=lambda place: -means[place])[:2]
    said = ", ".join(
        f"layer {probed.layers.names[place]} ({means[place]:.2g} σ)" for place in worst
    )
    return f"Running means furthest from fresh ones: {said}."
