"""From a snapshot to words: what is going on, why, and what helps.

Says only what was measured. Imports no torch.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from bntui.engine import rules
from bntui.engine.config import looks_like_torch, torch_momentum
from bntui.engine.health import factor, forecast, forgetting, in_updates, worst_layer
from bntui.engine.series import SeriesView
from bntui.engine.snapshot import Phase, Snapshot, Validation
from bntui.text import shorten

GAP = 0.05
"""Validation accuracies further apart than this differ by more than chance on 1,000 images."""
LEARNED = 0.1
"""Accuracy above guessing from which on a comparison says something."""
SHIFTED = 0.5
"""Standard deviations between validation and training images from which on they are different."""
RECENT = 16
"""Updates for which a measurement speaks of now, in an epoch that has fewer."""
READING = 10.0
"""Seconds for which it does in any case: time to read it, and to act on it."""


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
    SHIFT = "validation data differ"
    OVERFITTING = "overfitting"
    LEARNING = "not learned (yet)"
    NO_BATCH_NORM = "no batch norm"
    SOUND = "statistics are sound"


GOOD = {Cause.SOUND, Cause.NO_BATCH_NORM}
OPEN = {Cause.WAITING, Cause.LEARNING}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is going on: a cause, the numbers behind it, what will happen, and what helps."""

    cause: Cause
    evidence: tuple[str, ...] = ()
    outlook: str = ""
    cure: str = ""


def verdict(snapshot: Snapshot) -> Verdict:
    """Judge `snapshot` by its last validation."""
    validation = snapshot.validation
    if snapshot.phase is Phase.FAILED:
        cure = "[r] tries again, [d] takes the built-in digits on any device"
        if snapshot.traceback:
            cure += ", [y] shows the traceback"
        return Verdict(Cause.FAILED, (snapshot.message,), cure=cure)
    if snapshot.divergence is not None:
        return _non_finite(snapshot)
    if validation is None:
        return Verdict(Cause.WAITING, (_waits_for(snapshot),))
    if any(layer.non_finite for layer in validation.layers):
        return _non_finite(snapshot)
    if not validation.layers:
        return _not_the_statistics(snapshot, validation)
    images = rules.normalised_together(snapshot.config, snapshot.knobs)
    if images * min(layer.positions for layer in validation.layers) == 1:
        return _one_value(validation)
    if validation.fresh.accuracy - validation.running.accuracy > GAP:
        return _stale(snapshot, validation)
    return _not_the_statistics(snapshot, validation)


def figures(snapshot: Snapshot) -> dict[str, float | str]:
    """Return the numbers that a verdict rests on, by name; only those that were measured."""
    validation = snapshot.validation
    if validation is None:
        return {}
    running, fresh = validation.running, validation.fresh
    says, share = most_said(running.predicted, snapshot)
    found: dict[str, float | str] = {
        "update": validation.update,
        "train_acc": recent_accuracy(snapshot),
        "val_acc": running.accuracy,
        "val_acc_fresh": fresh.accuracy,
        "most_predicted": says,
        "most_predicted_share": share,
    }
    worst = worst_layer(validation)
    if worst is not None:
        found |= {
            "flipped": validation.flipped,
            "worst_layer": worst.name,
            "log_var_ratio": worst.log_var_ratio,
            "mean_gap": worst.mean_gap,
            "start_left": worst.start_left,
            "start_share": worst.start_share,
            "updates_until_sound": forecast(worst, forgetting(snapshot)),
        }
    return found


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


def recent(snapshot: Snapshot, update: int) -> bool:
    """Tell whether `update` is so little ago that what was measured then still speaks of now."""
    if snapshot.update - update <= max(RECENT, snapshot.updates_per_epoch):
        return True
    clock = snapshot.series.get("seconds")
    if clock is None:
        return False
    then = clock.last[clock.x >= update]
    if not len(then):
        return False
    # The seconds of work leave out a slow pace's rests: as if it had always been the present one.
    paced = (snapshot.update - update) / snapshot.knobs.pace
    return bool(max(snapshot.seconds - then[0], paced) <= READING)


def _waits_for(snapshot: Snapshot) -> str:
    if snapshot.phase is Phase.LOADING:
        return snapshot.message
    if not snapshot.observing:
        return "Nothing is measured: the run was opened with --no-validation."
    if snapshot.phase is Phase.RUNNING:
        return f"The first {'validation' if snapshot.update else 'update'} is under way."
    return "Nothing is validated yet: [space] goes on."


def _non_finite(snapshot: Snapshot) -> Verdict:
    cure = "Lower the learning rate, then [r]"
    divergence = snapshot.divergence
    if divergence is None:
        return Verdict(Cause.NON_FINITE, ("Running statistics are not finite.",), cure=cure)
    evidence = [f"First at update {divergence.update}, in {divergence.layer}."]
    good = last_good(snapshot.series.get("fresh_acc"), divergence.update)
    if good is not None:
        evidence.append(f"Last good: {good[1]:.3f} with fresh statistics at update {good[0]:.0f}.")
    return Verdict(Cause.NON_FINITE, tuple(evidence), "NaN does not heal by itself.", cure)


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


def _one_value(validation: Validation) -> Verdict:
    layer = min(validation.layers, key=lambda layer: layer.positions)
    evidence = (
        f"A batch of 1 gives {layer.name} one value per channel: variance 0, output its bias.",
        "torch raises an error here, Keras trains on.",
    )
    return Verdict(Cause.ONE_VALUE, evidence, cure="Raise the batch size")


def _stale(snapshot: Snapshot, validation: Validation) -> Verdict:
    worst = worst_layer(validation)
    momentum = snapshot.knobs.momentum
    running, fresh = validation.running, validation.fresh
    gap = max(fresh.accuracy, recent_accuracy(snapshot)) - running.accuracy
    recovered = fresh.accuracy - running.accuracy
    evidence = [
        f"Running {running.accuracy:.3f}, fresh {fresh.accuracy:.3f}: fresh statistics recover "
        f"{recovered:.2f} of a gap of {gap:.2f}."
    ]
    says, share = most_said(running.predicted, snapshot)
    if share >= max(0.5, 1.5 / len(running.predicted)):  # of two classes each gets half by rights
        evidence.append(f"It says '{says}' to {share:.0%}.")
    if all(layer.untouched for layer in validation.layers):
        evidence.append("Every running mean is exactly 0, every variance 1.")
        return Verdict(Cause.NEVER_UPDATED, tuple(evidence), cure="[c] recalibrates")
    evidence.append(f"{validation.flipped:.0%} of predictions flip with the statistics.")
    if worst is None:
        return Verdict(Cause.LAG, tuple(evidence), cure=_cure(snapshot))
    evidence.append(
        f"{worst.name}: variance {factor(worst.log_var_ratio)}, mean off {worst.mean_gap:.2f} σ."
    )
    if looks_like_torch(momentum):
        evidence.append(f"Momentum {momentum:g} keeps only {momentum:.0%} of the old value.")
        return Verdict(
            Cause.CONVENTION,
            tuple(evidence),
            cure=f"Meant torch's? Then it is {torch_momentum(momentum):g} here",
        )
    evidence.append(
        f"{worst.start_left:.0%} of the start value is left: {worst.start_share:.0%} of the error; "
        f"lag and noise {1 - worst.start_share:.0%}."
    )
    cause = Cause.START if worst.start_share >= 0.5 else Cause.LAG
    evidence += _after_last_change(snapshot, running.accuracy)
    return Verdict(cause, tuple(evidence), _outlook(snapshot, validation), _cure(snapshot))


def _outlook(snapshot: Snapshot, validation: Validation) -> str:
    ahead = [forecast(layer, forgetting(snapshot)) for layer in validation.layers]
    longest = max((updates for updates in ahead if math.isfinite(updates)), default=0.0)
    if not longest:
        return ""
    momentum = snapshot.knobs.momentum
    return f"Sound in {in_updates(longest)} updates at {momentum:g}, if the weights stood still."


def _cure(snapshot: Snapshot) -> str:
    """Name the best constant momentum of the map, if it is better, and the recalibration."""
    recalibration = snapshot.recalibration
    if recalibration and not recalibration.applied and recent(snapshot, recalibration.update):
        return (
            f"Recalibrated at update {recalibration.update} it would be {recalibration.after:.3f}, "
            f"not {recalibration.before:.3f}: [c] applies it"
        )
    cure = "[c] tries a recalibration"
    best = best_momentum(snapshot)
    if best is not None:
        name, accuracy, update = best
        cure += f"; momentum {name} gives {accuracy:.3f} in hindsight (update {update})"
    return cure


def best_momentum(snapshot: Snapshot) -> tuple[str, float, int] | None:
    """Return (name, accuracy, update) of the map's best constant momentum that beats the run's own."""
    hindsight = snapshot.hindsight
    if hindsight is None:
        return None
    latest = {
        name: float(row[-1])
        for name, row in zip(hindsight.names, hindsight.accuracy, strict=True)
        if name[0].isdigit()
    }
    # Of equals the largest: its statistics average over the most batches.
    name = max(latest, key=lambda name: (latest[name], float(name)))
    better = latest[name] - hindsight.own[-1] > GAP
    return (name, latest[name], int(hindsight.updates[-1])) if better else None


def most_said(predicted: tuple[int, ...], snapshot: Snapshot) -> tuple[str, float]:
    """Return the name of the class predicted most often, and its share."""
    most = max(predicted)
    place = predicted.index(most)
    name = snapshot.facts.class_names[place] if snapshot.facts else f"{place}"
    return shorten(name, 24), most / sum(predicted)


def _not_the_statistics(snapshot: Snapshot, validation: Validation) -> Verdict:
    running, fresh = validation.running.accuracy, validation.fresh.accuracy
    train = recent_accuracy(snapshot)
    numbers = f"Validation {running:.3f} with running, {fresh:.3f} with fresh statistics."
    if not validation.layers:
        numbers = f"Validation {running:.3f}: there are no statistics that could drift."
    training = f"Training {train:.3f}."
    after = (*_after_last_change(snapshot, running), *_whole_set(snapshot))
    classes = len(validation.fresh.predicted)
    if train - fresh > 2 * GAP:
        if validation.layers and validation.shift > SHIFTED:
            far = f"Validation images are {validation.shift:.1f} σ from training images"
            return Verdict(
                Cause.SHIFT,
                (numbers, training, f"{far} in {validation.layers[0].name}."),
                cure="Look at the data: no statistics of training images fit them",
            )
        agree = ("No statistics are at fault.",) if abs(fresh - running) <= GAP else ()
        evidence = (numbers, training, *agree, *after)
        return Verdict(Cause.OVERFITTING, evidence, cure="More data or regularisation")
    if fresh < 1.0 / classes + LEARNED:
        evidence = (numbers, training, "Too little is learned for the statistics to matter.")
        return Verdict(Cause.LEARNING, evidence, cure="Wait; or it is an optimisation problem")
    cause = Cause.SOUND if validation.layers else Cause.NO_BATCH_NORM
    return Verdict(cause, (numbers, training, *after))


def _whole_set(snapshot: Snapshot) -> tuple[str, ...]:
    """Say what the last epoch's end gave, where a live validation is on a part of the images."""
    report, facts, validation = snapshot.report, snapshot.facts, snapshot.validation
    if not (report and facts and validation) or validation.images == facts.validation:
        return ()
    return (f"Epoch {report.epoch}: val_acc {report.val_acc:.4f} on {facts.validation:,} images.",)


def _after_last_change(snapshot: Snapshot, now: float) -> tuple[str, ...]:
    """Say what the last change of a knob, or recalibration, did to validation."""
    changes = [mark for mark in snapshot.marks if mark.change]
    if not changes:
        return ()
    mark, recalibration = changes[-1], snapshot.recalibration
    if recalibration and recalibration.applied and mark.change == "recalibrate":
        return (f"Recalibrated at update {mark.update}: {recalibration.before:.3f} → {now:.3f}.",)
    before = last_good(snapshot.series.get("val_acc"), mark.update + 1)
    measured = snapshot.validation is not None and snapshot.validation.update > mark.update
    if before is None or not measured:
        return ()
    return (f"After {mark.label} at update {mark.update}: {before[1]:.3f} → {now:.3f}.",)
