"""Why fresh statistics recover validation: start values or lag, which layers, and what helps.

Every sentence tells of the same weights under exchanged statistics. Imports no torch.
"""

import math

from bntui.core.config import looks_like_torch, torch_momentum
from bntui.core.measured import Difference, Hindsight, Validation
from bntui.core.snapshot import Snapshot
from bntui.core.text import exact
from bntui.diagnose import significance
from bntui.diagnose.causes import Cause, Verdict, after_last_change, most_predicted, recent_accuracy
from bntui.diagnose.health import in_updates, recent
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
        evidence.append(f"It predicts '{name}' for {share:.0%} of the images.")
    if all(layer.untouched for layer in validation.layers):
        evidence.append("Every running mean is exactly 0, every variance 1.")
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
    ]
    return Verdict(cause, tuple(evidence), _outlook(snapshot), remedies)


def _flipped(validation: Validation) -> tuple[str, ...]:
    if not validation.flipped_images:
        return ()
    images = f"({validation.flipped_images:,} images)"
    return (f"{validation.flipped:.0%} of predictions flip with the statistics {images}.",)


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
    where = f"on {validation.images:,} images"
    if by_loss(validation):
        return (
            f"Loss {running.loss:.3g} running, {fresh.loss:.3g} fresh {where}; accuracy "
            f"{running.accuracy:.3f} and {fresh.accuracy:.3f}."
        )
    recovered = fresh.accuracy - running.accuracy
    gap = max(fresh.accuracy, recent_accuracy(snapshot)) - running.accuracy
    of = f"{recovered:.2f} of a gap of {gap:.2f}" if gap > recovered else f"{recovered:.2f}"
    return (
        f"Running {running.accuracy:.3f}, fresh {fresh.accuracy:.3f} {where}: fresh statistics "
        f"recover {of}."
    )


def _start_or_lag(validation: Validation, share: float) -> str:
    corrected = validation.corrected
    if corrected is None:
        return "Nothing of the start values is left: lag and noise make all of the gap."
    left = max(layer.start_left for layer in validation.layers)
    value = f"{corrected.accuracy:.3f}"
    if by_loss(validation):
        value = f"a loss of {corrected.loss:.3g}"
    without = f"Without the {left:.2g} left of the start values it would be {value}: "
    if share < 0.0:
        return without + "worse, so the gap is lag's and noise's."
    if share > 1.0:
        return without + "more than fresh ones give, so they make all of the gap."
    return without + f"they make {share:.0%} of the gap, lag and noise {1 - share:.0%}."


def _other_convention(snapshot: Snapshot) -> tuple[str, Remedy | None]:
    """Say what momentum would be in torch's convention, and whether that was seen to help."""
    momentum, hindsight = snapshot.knobs.momentum, snapshot.hindsight
    keeps = f"Momentum {exact(momentum)} keeps only {momentum:.3g} of the old value"
    meant = torch_momentum(momentum)
    place = None
    if hindsight and recent(snapshot, int(hindsight.updates[-1])):
        place = _nearest_row(hindsight, meant)
    if hindsight is None or place is None or hindsight.momentum[-1] != momentum:
        return (
            f"{keeps}; what {exact(meant)}, torch's {exact(momentum)}, would give is not measured.",
            None,
        )
    name = hindsight.names[place]
    other, own = float(hindsight.accuracy[place, -1]), float(hindsight.own[-1])
    where = f"on {hindsight.images:,} images at update {hindsight.updates[-1]:.0f}"
    if significance.helps(significance.swapped(hindsight.gains[place])):
        return (
            f"{keeps}; as torch's it would be {exact(meant)}, which is worse here: {name} gives "
            f"{other:.3f} instead of {own:.3f} {where}."
        ), None
    if not significance.harms(significance.swapped(hindsight.gains[place])):
        return (
            f"{keeps}; as torch's it would be {exact(meant)}, which is no better here: {name} gives "
            f"{other:.3f}, this {own:.3f} {where}."
        ), None
    measured = Measured(other, own, int(hindsight.updates[-1]), hindsight.images)
    remedy = Remedy(RemedyName.SET_MOMENTUM, float(name), measured=measured)
    return f"{keeps}. Meant torch's? Then it is {exact(meant)} here.", remedy


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
                    f"None of the {len(exchanges.layers)} layers that drifted most does harm alone; "
                    f"all {len(layers)} together do {where}.",
                )
            return (f"No layer alone does harm; together they do {where}.",)
        return ()
    parts = ", ".join(f"{layer.name} {_cost(layer.alone)}" for layer in harmful[:3])
    more = f" and {len(harmful) - 3} more" if len(harmful) > 3 else ""
    return (f"Alone they cost: {parts}{more} {where}.",)


def _cost(alone: Difference) -> str:
    if significance.loses_accuracy(alone):
        return f"{-alone.accuracy:.2f}"
    return f"{alone.loss:.2f} of loss"


def _outlook(snapshot: Snapshot) -> str:
    waiting = snapshot.waiting
    if waiting is None or not recent(snapshot, waiting.update):
        return ""
    where = f"({waiting.images:,} images, update {waiting.update:,})"
    estimator = snapshot.knobs.estimator
    at = "" if estimator == "cumulative" else f" at {exact(waiting.momentum)}"
    if math.isinf(waiting.sound_in):
        return (
            f"Not sound after {waiting.curve[-1][0]:,.0f} updates{at} either, if the weights stood "
            f"still {where}."
        )
    return (
        f"Sound in {in_updates(waiting.sound_in)} updates{at}, if the weights stood still {where}."
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


def best_momentum(snapshot: Snapshot) -> Remedy | None:
    """Return the constant momentum of the map that helps, if one was seen to and is not this run's.

    Of those that can't be told from the best the largest: it averages over the most batches.
    """
    hindsight = snapshot.hindsight
    if hindsight is None or not hindsight.gains:
        return None
    update = int(hindsight.updates[-1])
    if not recent(snapshot, update):
        return None
    helpful = [
        place
        for place, name in enumerate(hindsight.names)
        if name[0].isdigit() and significance.helps(hindsight.gains[place])
    ]
    good = [place for place in helpful if not significance.harms(hindsight.behind[place])]
    if not helpful:
        return None
    place = (
        max(good, key=lambda place: float(hindsight.names[place]))
        if good
        else max(helpful, key=lambda place: float(hindsight.accuracy[place, -1]))
    )
    momentum = float(hindsight.names[place])
    if snapshot.knobs.estimator == "momentum" and momentum == snapshot.knobs.momentum:
        return None
    accuracy, own = float(hindsight.accuracy[place, -1]), float(hindsight.own[-1])
    measured = Measured(accuracy, own, update, hindsight.images)
    return Remedy(RemedyName.SET_MOMENTUM, momentum, measured=measured)
