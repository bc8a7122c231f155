"""From a snapshot to words: what is going on, why, and what helps.

A cause is named when the run was evaluated with that cause alone put right: statistics, images or
class shares exchanged, the weights the same. Two evaluations are called different when
`significance.py` says so. Imports no torch.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from bntui.engine import rules, significance
from bntui.engine.config import looks_like_torch, torch_momentum
from bntui.engine.health import current, in_updates, recent
from bntui.engine.remedies import Kind, Remedy
from bntui.engine.series import SeriesView
from bntui.engine.snapshot import DataCheck, Difference, Hindsight, Phase, Snapshot, Validation
from bntui.text import shorten

LEARNED = 0.1
"""Accuracy above guessing from which on a comparison says something."""
SAID_TOO_OFTEN = 0.2
"""Share of one class among predictions, beyond accuracy, from which on it is told: not all are right."""
SHIFTED, SHIFTED_LOG_VARIANCE = 0.2, 0.4
"""Mean distance of means, in standard deviations, and of logarithms of variances from which on
validation images are other images than training images, beyond what chance makes of so few. In
trials an overfitted network of 60 to 1,000 training images stayed below .14 and .26 before its last
BN layer; dimmed, moved, noisy, turned, blurred and inverted images came to .28 or .5 in one."""


class Cause(StrEnum):
    """What a verdict can name."""

    WAITING = "waiting"
    FAILED = "the run failed"
    NON_FINITE = "non-finite numbers"
    ONE_VALUE = "one value per channel"
    NEVER_UPDATED = "never updated"
    CONVENTION = "torch's momentum?"
    START = "stale: start values"
    LAG = "stale: lag and noise"
    ELSEWHERE = "stale, but not on these images"
    CLASSES = "class shares differ"
    SHIFT = "validation data differ"
    OVERFITTING = "overfitting"
    LEARNING = "not learned (yet)"
    UNDECIDED = "undecided"
    NO_BATCH_NORM = "no batch norm"
    SOUND = "validation does not suffer"


GOOD = {Cause.SOUND, Cause.NO_BATCH_NORM}
OPEN = {Cause.WAITING, Cause.LEARNING, Cause.UNDECIDED}
STALE = {Cause.NEVER_UPDATED, Cause.CONVENTION, Cause.START, Cause.LAG}
"""Causes under which fresh statistics recover validation."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is going on: a cause, the numbers behind it, what will happen, and what helps."""

    cause: Cause
    evidence: tuple[str, ...] = ()
    outlook: str = ""
    remedies: tuple[Remedy, ...] = ()


def verdict(snapshot: Snapshot) -> Verdict:
    """Judge `snapshot` by its last validation, and by what was exchanged lately."""
    validation = snapshot.validation
    if snapshot.phase is Phase.FAILED:
        traceback = (Remedy(Kind.TRACEBACK),) if snapshot.traceback else ()
        remedies = (Remedy(Kind.TRY_AGAIN), *traceback)
        return Verdict(Cause.FAILED, (snapshot.message,), remedies=remedies)
    if snapshot.divergence is not None:
        return _non_finite(snapshot)
    if validation is None:
        return _waiting(snapshot)
    if any(layer.non_finite for layer in validation.layers):
        return _non_finite(snapshot)
    if validation.layers:
        images = rules.normalised_together(snapshot.config, snapshot.knobs)
        if images * min(layer.positions for layer in validation.layers) == 1:
            return _one_value(snapshot, validation)
    if significance.harms(validation.difference):
        return _stale(snapshot, validation)
    if significance.undecided(validation.difference):
        return _too_few_images(validation)
    return _not_the_statistics(snapshot, validation)


def recent_accuracy(snapshot: Snapshot) -> float:
    """Return training accuracy, averaged over the last batches before the validation.

    NaN before the first batch.
    """
    history, validation = snapshot.series.get("smooth_acc"), snapshot.validation
    if history is None:
        return math.nan
    until = validation.update if validation else math.inf
    batches = history.last[history.x <= until]
    return float(batches[-1]) if len(batches) else math.nan


def _waiting(snapshot: Snapshot) -> Verdict:
    if snapshot.phase is Phase.LOADING:
        return Verdict(Cause.WAITING, (snapshot.message,))
    if not snapshot.observing:
        return Verdict(
            Cause.WAITING, ("Nothing is measured: the run was opened with --no-validation.",)
        )
    if snapshot.phase is Phase.RUNNING:
        what = "validation" if snapshot.update else "update"
        return Verdict(Cause.WAITING, (f"The first {what} is under way.",))
    remedies = (Remedy(Kind.GO_ON),)
    return Verdict(Cause.WAITING, ("Nothing is validated yet.",), remedies=remedies)


def _non_finite(snapshot: Snapshot) -> Verdict:
    remedies = (Remedy(Kind.LEARNING_RATE),)
    divergence = snapshot.divergence
    if divergence is None:
        evidence = ("Running statistics are not finite.",)
        return Verdict(Cause.NON_FINITE, evidence, remedies=remedies)
    told = [f"First at update {divergence.update}, in {divergence.layer}."]
    good = last_good(snapshot.series.get("fresh_acc"), divergence.update)
    if good is not None:
        told.append(f"Last good: {good[1]:.3f} with fresh statistics at update {good[0]:.0f}.")
    return Verdict(Cause.NON_FINITE, tuple(told), "NaN does not heal by itself.", remedies)


def last_good(history: SeriesView | None, before: int) -> tuple[float, float] | None:
    """Return (update, value) of the last finite value before an update, None if there is none."""
    if history is None:
        return None
    good = [
        (float(x), float(value))
        for x, value in zip(history.x, history.last, strict=True)
        if x < before and math.isfinite(value)
    ]
    return good[-1] if good else None


def _one_value(snapshot: Snapshot, validation: Validation) -> Verdict:
    layer = min(validation.layers, key=lambda layer: layer.positions)
    ghost = snapshot.config.norm == "ghost" and snapshot.knobs.batch_size > 1
    batch = "A ghost batch" if ghost else "A batch"
    evidence = (
        f"{batch} of 1 gives {layer.name} one value per channel: variance 0, output its bias.",
        "torch raises an error here, Keras trains on.",
    )
    remedy = Remedy(Kind.GHOST_BATCH if ghost else Kind.BATCH_SIZE)
    return Verdict(Cause.ONE_VALUE, evidence, remedies=(remedy,))


def _too_few_images(validation: Validation) -> Verdict:
    difference, images = validation.difference, validation.images
    lost = max(abs(difference.accuracy), significance.GAP)
    enough = math.ceil(images * (significance.ERRORS * difference.accuracy_error / lost) ** 2)
    evidence = (
        f"Undecided with {images:,} images: running {validation.running.accuracy:.3f} and fresh "
        f"{validation.fresh.accuracy:.3f} can't be told apart.",
        f"A difference of {lost:.2f} shows with some {max(enough, images + 1):,} images.",
    )
    return Verdict(Cause.UNDECIDED, evidence, remedies=(Remedy(Kind.MORE_VALIDATION),))


# Fresh statistics recover validation.


def _stale(snapshot: Snapshot, validation: Validation) -> Verdict:
    evidence = [_recovered(snapshot, validation)]
    says, share = most_said(validation.running.predicted, snapshot)
    classes = len(validation.running.predicted)
    too_often = share - validation.running.accuracy > SAID_TOO_OFTEN
    if too_often and share >= max(0.5, 1.5 / classes):  # of two classes each gets half by rights
        evidence.append(f"It says '{says}' to {share:.0%}.")
    if all(layer.untouched for layer in validation.layers):
        evidence.append("Every running mean is exactly 0, every variance 1.")
        return Verdict(Cause.NEVER_UPDATED, tuple(evidence), remedies=(Remedy(Kind.RECALIBRATE),))
    start = start_share(validation)
    evidence.append(_start_or_lag(validation, start))
    cause = Cause.START if start >= 0.5 else Cause.LAG
    remedies = _cures(snapshot)
    if snapshot.knobs.estimator == "momentum" and looks_like_torch(snapshot.knobs.momentum):
        told, remedy = _other_convention(snapshot)
        evidence.append(told)
        if remedy:
            cause, remedies = Cause.CONVENTION, (remedy,)
    evidence += [
        *_to_blame(snapshot),
        *_flipped(validation),
        *_after_last_change(snapshot, validation),
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
    keeps = f"Momentum {momentum:.15g} keeps only {momentum:.3g} of the old value"
    meant = torch_momentum(momentum)
    place = _nearest_row(hindsight, meant) if hindsight else None
    if hindsight is None or place is None:
        return (
            f"{keeps}; what {meant:.15g}, torch's {momentum:.15g}, would give is not measured.",
            None,
        )
    name = hindsight.names[place]
    other, own = float(hindsight.accuracy[place, -1]), float(hindsight.own[-1])
    where = f"on {hindsight.images:,} images at update {hindsight.updates[-1]:.0f}"
    if significance.helps(significance.swapped(hindsight.gains[place])):
        return (
            f"{keeps}; as torch's it would be {meant:.15g}, which is worse here: {name} gives "
            f"{other:.3f} instead of {own:.3f} {where}."
        ), None
    if not significance.harms(significance.swapped(hindsight.gains[place])):
        return (
            f"{keeps}; as torch's it would be {meant:.15g}, which is no better here: {name} gives "
            f"{other:.3f}, this {own:.3f} {where}."
        ), None
    images, update = hindsight.images, int(hindsight.updates[-1])
    remedy = Remedy(Kind.MOMENTUM, float(name), other, own, update, images)
    return f"{keeps}. Meant torch's? Then it is {meant:.15g} here.", remedy


def _nearest_row(hindsight: Hindsight, momentum: float) -> int | None:
    """Return the place of the constant row nearest to a momentum by 1 − m, within a factor of 2."""
    rows = [place for place, name in enumerate(hindsight.names) if name[0].isdigit()]
    if not rows or not hindsight.gains:
        return None

    def far(place: int) -> float:
        return abs(math.log((1.0 - float(hindsight.names[place])) / (1.0 - momentum)))

    nearest = min(rows, key=far)
    return nearest if far(nearest) < math.log(2.0) else None


def _to_blame(snapshot: Snapshot) -> tuple[str, ...]:
    """Say which layers' statistics do harm alone, the worst first."""
    exchanges = snapshot.exchanges
    if exchanges is None or not recent(snapshot, exchanges.update):
        return ()
    harmful = [layer for layer in exchanges.layers if significance.harms(layer.alone)]
    harmful.sort(key=lambda layer: (layer.alone.accuracy, -layer.alone.loss))
    where = f"({exchanges.images:,} images, update {exchanges.update:,})"
    if not harmful:
        if significance.harms(exchanges.difference):
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
    if math.isinf(waiting.sound_in):
        return f"Waiting alone would not heal it, if the weights stood still {where}."
    estimator = snapshot.knobs.estimator
    at = "" if estimator == "cumulative" else f" at {waiting.momentum:.12g}"
    return (
        f"Sound in {in_updates(waiting.sound_in)} updates{at}, if the weights stood still {where}."
    )


def _cures(snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Name the best constant momentum of the map, if it is better, and the recalibration."""
    tried = snapshot.recalibration
    if tried and not tried.applied and recent(snapshot, tried.update):
        first = Remedy(
            Kind.APPLY_RECALIBRATION,
            None,
            tried.after,
            tried.before,
            tried.update,
            tried.images or None,
        )
        return (first,)
    best = best_momentum(snapshot)
    first = Remedy(Kind.RECALIBRATE, update=snapshot.update)
    return (first, best) if best else (first,)


def best_momentum(snapshot: Snapshot) -> Remedy | None:
    """Return the constant momentum of the map that helps, if one was seen to.

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
    return Remedy(
        Kind.MOMENTUM,
        float(hindsight.names[place]),
        float(hindsight.accuracy[place, -1]),
        float(hindsight.own[-1]),
        update,
        hindsight.images,
    )


def most_said(predicted: tuple[int, ...], snapshot: Snapshot) -> tuple[str, float]:
    """Return the name of the class predicted most often, and its share."""
    most = max(predicted)
    place = predicted.index(most)
    name = snapshot.facts.class_names[place] if snapshot.facts else f"{place}"
    return shorten(name, 24), most / sum(predicted)


# Validation does not suffer from the statistics.


def _not_the_statistics(snapshot: Snapshot, validation: Validation) -> Verdict:
    running, fresh = validation.running.accuracy, validation.fresh.accuracy
    check = snapshot.data_check
    train = check.training_fresh.accuracy if check else recent_accuracy(snapshot)
    here = f"on {validation.images:,} images"
    numbers = f"Validation does not suffer here: {running:.3f} with running, {fresh:.3f} with fresh statistics {here}."
    if not validation.layers:
        numbers = f"Validation {running:.3f} {here}: there are no statistics that could drift."
    training = () if math.isnan(train) else (f"Training {train:.3f}.",)
    after = (*_after_last_change(snapshot, validation), *_whole_set(snapshot))
    if check and current(snapshot, check.update) and significance.harms(check.training):
        return _elsewhere(check, numbers)
    classes = len(validation.fresh.predicted)
    gap = train - fresh
    chance = math.sqrt(max(fresh * (1.0 - fresh), 0.01) / validation.images)
    if gap > 2 * significance.GAP:
        if gap <= significance.ERRORS * chance:
            told = (
                f"Undecided with {validation.images:,} images: training {train:.3f} may be as good."
            )
            return Verdict(
                Cause.UNDECIDED, (numbers, told), remedies=(Remedy(Kind.MORE_VALIDATION),)
            )
        return _worse_than_training(check, (numbers, *training), after)
    if fresh < 1.0 / classes + LEARNED:
        evidence = (numbers, *training, "Too little is learned for the statistics to matter.")
        return Verdict(Cause.LEARNING, evidence, remedies=(Remedy(Kind.WAIT),))
    cause = Cause.SOUND if validation.layers else Cause.NO_BATCH_NORM
    return Verdict(cause, (numbers, *training, *after))


def _elsewhere(check: DataCheck, numbers: str) -> Verdict:
    told = (
        f"Training images in eval mode do: {check.training_running.accuracy:.3f} with running, "
        f"{check.training_fresh.accuracy:.3f} with fresh statistics on "
        f"{check.training_images:,} images at update {check.update:,}."
    )
    return Verdict(
        Cause.ELSEWHERE,
        (numbers, told, "Validation images like those would suffer as well."),
        remedies=(Remedy(Kind.RECALIBRATE, update=check.update),),
    )


def _worse_than_training(
    check: DataCheck | None, evidence: tuple[str, ...], after: tuple[str, ...]
) -> Verdict:
    """Tell why images that the network did not train on fare worse than those that it did."""
    if check is None:
        told = "Whether the images differ is not measured yet."
        return Verdict(Cause.UNDECIDED, (*evidence, told, *after))
    gap = check.training_fresh.accuracy - check.fresh.accuracy
    recovered = check.as_trained - check.fresh.accuracy
    if recovered > significance.GAP and recovered >= gap / 2:
        told = (
            f"With classes as frequent as in training validation would be {check.as_trained:.3f}: "
            f"{recovered:.2f} of the gap of {gap:.2f}."
        )
        remedies = (Remedy(Kind.BALANCE),)
        return Verdict(Cause.CLASSES, (*evidence, told, *after), remedies=remedies)
    furthest = max(
        (one for one in check.shifts if one.mean_gap > 0 or one.log_var_off > 0),
        key=lambda one: shifted(check, one.mean_gap, one.log_var_off),
        default=None,
    )
    if furthest and shifted(check, furthest.mean_gap, furthest.log_var_off) > 1.0:
        told = (
            f"Validation images are others than training images: in {furthest.name} their means are "
            f"{furthest.mean_gap:.2f} σ, the logarithms of their variances {furthest.log_var_off:.2f} "
            "away."
        )
        own = (
            f"Under statistics of their own they would be {check.own.accuracy:.3f}: a diagnosis, "
            "no cure."
        )
        remedies = (Remedy(Kind.LOOK_AT_DATA),)
        return Verdict(Cause.SHIFT, (*evidence, told, own, *after), remedies=remedies)
    told = (
        f"In eval mode, with the same statistics, training images get "
        f"{check.training_fresh.accuracy:.3f} ({check.training_images:,} images); means and variances "
        "of validation images do not differ. No statistics are at fault."
    )
    remedies = (Remedy(Kind.MORE_DATA),)
    return Verdict(Cause.OVERFITTING, (*evidence, told, *after), remedies=remedies)


def shifted(check: DataCheck, mean_gap: float, log_var_off: float) -> float:
    """Return how far statistics are apart, as a multiple of what calls images different."""
    samples = max(1, check.images), max(1, check.statistics_images)
    chance = 0.8 * math.sqrt(sum(1.0 / count for count in samples))  # mean |gap| of equal images
    return max(mean_gap / (SHIFTED + chance), log_var_off / (SHIFTED_LOG_VARIANCE + 2.0 * chance))


def _whole_set(snapshot: Snapshot) -> tuple[str, ...]:
    """Say what the last epoch's end gave, where a live validation is on a part of the images."""
    report, facts, validation = snapshot.report, snapshot.facts, snapshot.validation
    if not (report and facts and validation) or validation.images == facts.validation:
        return ()
    return (f"Epoch {report.epoch}: val_acc {report.val_acc:.4f} on {facts.validation:,} images.",)


def _after_last_change(snapshot: Snapshot, validation: Validation) -> tuple[str, ...]:
    """Say what the last change of a knob, or recalibration, did to validation."""
    now = validation.running.accuracy
    changes = [mark for mark in snapshot.marks if mark.change]
    if not changes:
        return ()
    mark, recalibration = changes[-1], snapshot.recalibration
    if recalibration and recalibration.applied and mark.change == "recalibrate":
        return (f"Recalibrated at update {mark.update}: {recalibration.before:.3f} → {now:.3f}.",)
    before = last_good(snapshot.series.get("val_acc"), mark.update + 1)
    if before is None or validation.update <= mark.update:
        return ()
    return (f"After {mark.label} at update {mark.update}: {before[1]:.3f} → {now:.3f}.",)
