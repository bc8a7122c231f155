"""What a verdict is, the causes that it can name, and evidence that several causes share. Imports no torch."""

import math
from dataclasses import dataclass
from enum import StrEnum

from bntui.core.measured import Validation
from bntui.core.series import SeriesView
from bntui.core.snapshot import Snapshot
from bntui.core.text import shorten
from bntui.diagnose.remedies import Remedy


class Cause(StrEnum):
    """Why validation suffers, or why that is not known."""

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
    FOUND = "found by watching"
    """Of a training that is watched: what was found is its watcher's own sentences. So are the next three."""
    WARNED = "a warning by watching"
    REMARKED = "a remark by watching"
    SOUND_SO_FAR = "sound so far"


GOOD = {Cause.SOUND, Cause.NO_BATCH_NORM, Cause.SOUND_SO_FAR}
OPEN = {Cause.WAITING, Cause.LEARNING, Cause.UNDECIDED, Cause.WARNED, Cause.REMARKED}
STALE = {Cause.NEVER_UPDATED, Cause.CONVENTION, Cause.START, Cause.LAG}
"""Causes under which fresh statistics recover validation."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is going on: a cause, the numbers behind it, what will happen, and what helps."""

    cause: Cause
    evidence: tuple[str, ...] = ()
    outlook: str = ""
    remedies: tuple[Remedy, ...] = ()


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


def most_predicted(predicted: tuple[int, ...], snapshot: Snapshot) -> tuple[str, float]:
    """Return the name of the class predicted most often, and its share."""
    most = max(predicted)
    label = predicted.index(most)
    names = snapshot.facts.class_names if snapshot.facts else ()
    name = names[label] if label < len(names) else f"{label}"
    return shorten(name, 24), most / sum(predicted)


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


def after_last_change(snapshot: Snapshot, validation: Validation) -> tuple[str, ...]:
    """Say what the last change of a knob, or recalibration, did to validation."""
    now = validation.running.accuracy
    changes = [mark for mark in snapshot.marks if mark.change]
    if not changes:
        return ()
    mark, recalibration = changes[-1], snapshot.recalibration
    if recalibration and recalibration.applied and mark.change == "recalibrate":
        return (f"Recalibrated at update {mark.update:,}: {recalibration.before:.3f} → {now:.3f}.",)
    before = last_good(snapshot.series.get("val_acc"), mark.update + 1)
    if before is None or validation.update <= mark.update:
        return ()
    return (f"After {mark.label} at update {mark.update:,}: {before[1]:.3f} → {now:.3f}.",)
