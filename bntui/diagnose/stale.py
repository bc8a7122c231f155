"""Why fresh statistics recover validation: start values or lag, which layers, and what helps.

Every sentence tells of the same weights under exchanged statistics. Imports no torch.
"""

import math

from bntui.core import rules
from bntui.core.config import looks_like_torch, torch_momentum
from bntui.core.measured import Difference, Hindsight, Validation
from bntui.core.snapshot import Snapshot
from bntui.core.text import exact, percent, plain
from bntui.diagnose import significance
from bntui.diagnose.causes import Cause, Verdict, after_last_change, most_predicted, recent_accuracy
from bntui.diagnose.health import in_updates, recent
from bntui.diagnose.recommendation import HORIZON, largest_right
from bntui.diagnose.remedies import Measured, Remedy, RemedyName

SAID_TOO_OFTEN = 0.2
"""A class is reported whose share of the predictions exceeds accuracy by more: not all of them are right."""


def stale(snapshot: Snapshot, validation: Validation) -> Verdict:
    """Judge a validation that fresh statistics recover."""
    evidence = [_recovered(snapshot, validation)]
    name, share = most_predicted(validation.running.predicted, snapshot)
    classes = len(validation.running.predicted)
    too_often = share - validation.running.accuracy > SAID_TOO_OFTEN
    if too_often and share >= max(0.5, 1.5 / classes):  # half is right for one of two classes
        evidence.append(f"It answers '{name}' for {percent(share)} of images.")
    if all(layer.untouched for layer in validation.layers):
        evidence.append(
            "Every running mean is exactly 0 and every variance 1, as before the first update."
        )
        recalibrate = Remedy(RemedyName.RECALIBRATE, update=snapshot.update)
        return Verdict(Cause.NEVER_UPDATED, tuple(evidence), remedies=(recalibrate,))
    start = start_share(validation)
    evidence.append(_start_or_lag(validation, start))
    cause = Cause.START if start >= 0.5 else Cause.LAG
    remedies = _remedies(snapshot)
    if snapshot.knobs.estimator == "momentum" and looks_like_torch(snapshot.knobs.momentum):
        sentence, remedy = _other_convention(snapshot)
        evidence.append(sentence)
        if remedy:
            cause, remedies = Cause.CONVENTION, (remedy,)
    evidence += [
        *_harmful_layers(snapshot),
        *_flipped(validation),
        *after_last_change(snapshot, validation),
        *_why_so_low(snapshot),
    ]
    return Verdict(cause, tuple(evidence), _outlook(snapshot), remedies)


def _flipped(validation: Validation) -> tuple[str, ...]:
    if not validation.flipped_images:
        return ()
    return (
        f"{percent(validation.flipped)} of predictions differ between eval and training mode "
        f"({validation.flipped_images:,} images).",
    )


def by_loss(validation: Validation) -> bool:
    """Tell whether it is the loss alone that suffers, so that shares are told of it."""
    return not significance.loses_accuracy(validation.difference)


def start_share(validation: Validation) -> float:
    """Return the share of what fresh statistics recover that removing the start values recovers.

    (corrected − own)/(fresh − own), of accuracy, or of loss where that alone suffers; what is left
    is lag's and noise's. 0 where nothing of the start values is left.
    """
    if validation.corrected is None:
        return 0.0
    scores = (validation.corrected, validation.running, validation.fresh)
    return significance.share(*scores, by_loss=by_loss(validation))


def _recovered(snapshot: Snapshot, validation: Validation) -> str:
    running, fresh = validation.running, validation.fresh
    where = f"({validation.images:,} images)"
    lost = max(fresh.accuracy, recent_accuracy(snapshot)) - running.accuracy
    if by_loss(validation) or lost <= 0.0:
        return (
            f"Fresh statistics lower the loss from {plain(running.loss)} to {plain(fresh.loss)}; accuracy is "
            f"{running.accuracy:.3f} without them and {fresh.accuracy:.3f} with them {where}."
        )
    returns = percent((fresh.accuracy - running.accuracy) / lost)
    returns = "All" if returns == "100 %" else returns
    return (
        f"{returns} of the lost accuracy returns with fresh statistics: {running.accuracy:.3f} → "
        f"{fresh.accuracy:.3f} {where}."
    )


def _start_or_lag(validation: Validation, share: float) -> str:
    corrected = validation.corrected
    if corrected is None:
        return "Nothing of the start values is left: lag and noise are to blame."
    left = percent(max(layer.start_left for layer in validation.layers)).capitalize()
    would = f"validation would be {corrected.accuracy:.3f}"
    if by_loss(validation):
        would = f"the loss would be {plain(corrected.loss)}"
    without = f"{left} of the start values is left; without it {would}"
    if share < 0.0:
        return f"{without}, which is worse: lag and noise are to blame."
    if share > 1.0:
        return f"{without}, which is even better than with fresh statistics."
    if percent(share) == "100 %":
        return f"{without}: the start values alone are to blame."
    return (
        f"{without}: start values cause {percent(share)} of what is lost, lag and noise "
        f"{percent(1.0 - share)}."
    )


def _other_convention(snapshot: Snapshot) -> tuple[str, Remedy | None]:
    """Say what momentum would be in torch's convention, and whether that was seen to help."""
    momentum, hindsight = snapshot.knobs.momentum, snapshot.hindsight
    keeps = f"Momentum {exact(momentum)} keeps only {percent(momentum)} of the old value"
    meant = torch_momentum(momentum)
    place = None
    if hindsight and recent(snapshot, int(hindsight.updates[-1])):
        place = _nearest_row(hindsight, meant)
    if hindsight is None or place is None or hindsight.momentum[-1] != momentum:
        return (
            f"{keeps}. In PyTorch {exact(momentum)} means {exact(meant)} here, which is not measured.",
            None,
        )
    name = hindsight.names[place]
    other, own = float(hindsight.accuracy[place, -1]), float(hindsight.own[-1])
    where = f"({hindsight.images:,} images, update {hindsight.updates[-1]:,.0f})"
    if significance.helps(significance.swapped(hindsight.gains[place])):
        return (
            f"{keeps}. In PyTorch it would mean {exact(meant)}, which is worse: {name} gives {other:.3f} "
            f"instead of {own:.3f} {where}."
        ), None
    if not significance.harms(significance.swapped(hindsight.gains[place])):
        return (
            f"{keeps}. In PyTorch it would mean {exact(meant)}, which is no better: {name} gives "
            f"{other:.3f}, this run's {own:.3f} {where}."
        ), None
    measured = Measured(other, own, int(hindsight.updates[-1]), hindsight.images)
    remedy = Remedy(RemedyName.SET_MOMENTUM, float(name), measured=measured)
    return (
        f"{keeps}. Did you mean PyTorch's {exact(momentum)}? That is {exact(meant)} here.",
        remedy,
    )


def _nearest_row(hindsight: Hindsight, momentum: float) -> int | None:
    """Return the place of the constant row nearest to a momentum by 1 − m, within a factor of 2."""
    rows = [place for place, name in enumerate(hindsight.names) if name[0].isdigit()]
    if not rows or not hindsight.gains:
        return None

    def far(place: int) -> float:
        return abs(math.log((1.0 - float(hindsight.names[place])) / (1.0 - momentum)))

    nearest = min(rows, key=far)
    return nearest if far(nearest) < math.log(2.0) else None


def _harmful_layers(snapshot: Snapshot) -> tuple[str, ...]:
    """Say which layers' statistics do harm alone, the worst first."""
    exchanges = snapshot.exchanges
    if exchanges is None or not recent(snapshot, exchanges.update):
        return ()
    harmful = [layer for layer in exchanges.layers if significance.harms(layer.alone)]
    harmful.sort(key=lambda layer: (layer.alone.accuracy, -layer.alone.loss))
    where = f"({exchanges.images:,} images, update {exchanges.update:,})"
    if not harmful:
        if significance.harms(exchanges.difference):
            layers = snapshot.validation.layers if snapshot.validation else ()
            if len(exchanges.layers) < len(layers):
                return (
                    f"None of the {len(exchanges.layers)} layers that drifted most does harm alone, "
                    f"but all {len(layers)} layers together do {where}.",
                )
            return (f"No layer does harm alone, but together they do {where}.",)
        return ()
    parts = ", ".join(f"{_cost(layer.alone)} in {layer.name}" for layer in harmful[:3])
    more = f" (and in {len(harmful) - 3} more)" if len(harmful) > 3 else ""
    return (f"Stale in one layer alone, the statistics cost {parts}{more} {where}.",)


def _cost(alone: Difference) -> str:
    if significance.loses_accuracy(alone):
        return f"{-alone.accuracy:.2f} of accuracy"
    return f"{plain(alone.loss)} more loss"


def _outlook(snapshot: Snapshot) -> str:
    waiting = snapshot.waiting
    if waiting is None or not recent(snapshot, waiting.update):
        return ""
    where = f"({waiting.images:,} images, update {waiting.update:,})"
    estimator = snapshot.knobs.estimator
    at = "" if estimator == "cumulative" else f" at momentum {exact(waiting.momentum)}"
    if math.isinf(waiting.sound_in):
        return (
            f"If the weights stood still, validation would not be sound after "
            f"{waiting.curve[-1][0]:,.0f} updates{at} either {where}."
        )
    return (
        f"If the weights stood still, validation would be sound in "
        f"{in_updates(waiting.sound_in)} updates{at} {where}."
    )


def _remedies(snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Return the recalibration, and the best constant momentum of the map if it was seen to help."""
    tried = snapshot.recalibration
    if tried and not tried.applied and recent(snapshot, tried.update):
        measured = Measured(tried.after, tried.before, tried.update, tried.images)
        return (Remedy(RemedyName.APPLY_RECALIBRATION, update=tried.update, measured=measured),)
    best = best_momentum(snapshot)
    first = Remedy(RemedyName.RECALIBRATE, update=snapshot.update)
    return (first, best) if best else (first,)


def _why_so_low(snapshot: Snapshot) -> tuple[str, ...]:
    """Say why a larger momentum is not recommended that the map shows to be as good."""
    best, hindsight = best_momentum(snapshot), snapshot.hindsight
    if best is None or hindsight is None or hindsight.recommended is None:
        return ()
    larger, low = largest_right(hindsight), hindsight.recommended
    if larger is None or larger <= low:
        return ()
    moves = HORIZON * rules.moves(snapshot.config, snapshot.knobs)
    return (
        f"In hindsight momentum {exact(larger)} is as good, but {HORIZON} updates at it leave "
        f"{percent(larger**moves)} of the stale values, at {exact(low)} {percent(low**moves)}.",
    )


def best_momentum(snapshot: Snapshot) -> Remedy | None:
    """Return the constant momentum that is recommended, if it was seen to help and is not this run's."""
    hindsight = snapshot.hindsight
    if hindsight is None or not hindsight.gains or hindsight.recommended is None:
        return None
    update, momentum = int(hindsight.updates[-1]), hindsight.recommended
    name = f"{momentum:g}"
    if not recent(snapshot, update) or name not in hindsight.names:
        return None
    config, knobs = snapshot.config, snapshot.knobs
    cumulative = knobs.estimator == "cumulative"  # which has no momentum
    place = hindsight.names.index(name)
    accuracy, own = float(hindsight.accuracy[place, -1]), float(hindsight.own[-1])
    same = not cumulative and momentum == rules.momentum(config, knobs)
    if same or accuracy < own or significance.harms(hindsight.gains[place]):
        return None
    return Remedy(
        RemedyName.PLAIN_MOMENTUM if cumulative else RemedyName.SET_MOMENTUM,
        rules.knob_for(config, knobs, momentum),
        measured=Measured(accuracy, own, update, hindsight.images),
    )
