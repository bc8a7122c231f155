"""The verdict where fresh statistics don't recover validation: other images, overfitting, or no harm.

Found by exchanging images: training images under the same weights and statistics, or class shares.
Imports no torch.
"""

import math

from bntui.core.measured import DataCheck, Validation
from bntui.core.snapshot import Snapshot
from bntui.core.text import percent
from bntui.diagnose import significance
from bntui.diagnose.causes import Cause, Verdict, after_last_change, recent_accuracy
from bntui.diagnose.health import current, recent
from bntui.diagnose.remedies import Remedy, RemedyName

LEARNED = 0.1
"""Accuracy above that of guessing from which on a comparison means something."""
SHIFTED, SHIFTED_LOG_VARIANCE = 0.2, 0.4
"""Mean distance of means, in standard deviations, and of logarithms of variances from which on
validation images differ from training images, beyond what chance makes of so few. In
trials an overfitted network of 60 to 1,000 training images stayed below .14 and .26 before its last
BN layer; dimmed, moved, noisy, turned, blurred and inverted images came to .28 or .5 in one."""


def not_the_statistics(snapshot: Snapshot, validation: Validation) -> Verdict:
    """Judge a validation that fresh statistics do not recover."""
    running, fresh = validation.running.accuracy, validation.fresh.accuracy
    check = snapshot.data_check
    now = check if check and recent(snapshot, check.update) else None
    train = now.training_fresh.accuracy if now else recent_accuracy(snapshot)
    here = f"({validation.images:,} images)"
    numbers = (
        f"Validation does not suffer from stale statistics: it is {running:.3f} with running and "
        f"{fresh:.3f} with fresh ones {here}."
    )
    if not validation.layers:
        numbers = (
            f"Validation is {running:.3f} {here}; there are no statistics that could go stale."
        )
    training = () if math.isnan(train) else (f"Training accuracy is {train:.3f}{_of(now)}.",)
    after = (*after_last_change(snapshot, validation), *_whole_set(snapshot))
    if check and current(snapshot, check.update) and significance.harms(check.training):
        return _elsewhere(check, numbers)
    classes = len(validation.fresh.predicted)
    gap = train - fresh
    chance = math.sqrt(max(fresh * (1.0 - fresh), 0.01) / validation.images)
    if gap > 2 * significance.GAP:
        if gap <= significance.ERRORS * chance:
            told = (
                f"With {validation.images:,} images it is undecided whether training accuracy, "
                f"{train:.3f}, is better."
            )
            return Verdict(
                Cause.UNDECIDED, (numbers, told), remedies=(Remedy(RemedyName.MORE_VALIDATION),)
            )
        return _worse_than_training(check, (numbers, *training), after)
    if fresh < 1.0 / classes + LEARNED:
        evidence = (
            numbers,
            *training,
            "Too little is learned so far for the statistics to matter.",
        )
        return Verdict(Cause.LEARNING, evidence, remedies=(Remedy(RemedyName.WAIT),))
    cause = Cause.SOUND if validation.layers else Cause.NO_BATCH_NORM
    return Verdict(cause, (numbers, *training, *after))


def _of(check: DataCheck | None) -> str:
    """Say on which images training accuracy was measured."""
    if check is None:
        return " in the last batches"
    return f" in eval mode ({check.training_images:,} images, update {check.update:,})"


def _elsewhere(check: DataCheck, numbers: str) -> Verdict:
    told = (
        f"Training images in eval mode do suffer: they get {check.training_running.accuracy:.3f} with "
        f"running and {check.training_fresh.accuracy:.3f} with fresh statistics "
        f"({check.training_images:,} images, update {check.update:,})."
    )
    return Verdict(
        Cause.ELSEWHERE,
        (numbers, told, "Validation images like them would suffer as well."),
        remedies=(Remedy(RemedyName.RECALIBRATE, update=check.update),),
    )


def _worse_than_training(
    check: DataCheck | None, evidence: tuple[str, ...], after: tuple[str, ...]
) -> Verdict:
    """Judge a network that is worse on validation images than on training images."""
    if check is None or check.training_fresh.accuracy - check.fresh.accuracy <= significance.GAP:
        told = "Whether validation and training images differ is not measured yet."
        return Verdict(Cause.UNDECIDED, (*evidence, told, *after))
    gap = check.training_fresh.accuracy - check.fresh.accuracy
    recovered = check.as_trained - check.fresh.accuracy
    if recovered > significance.GAP and recovered >= gap / 2:
        told = (
            f"With classes as frequent as in training, validation would be {check.as_trained:.3f}: "
            f"that is {percent(recovered / gap)} of the gap."
        )
        remedies = (Remedy(RemedyName.BALANCE_CLASSES),)
        return Verdict(Cause.CLASSES, (*evidence, told, *after), remedies=remedies)
    furthest = max(
        (one for one in check.shifts if one.mean_gap > 0 or one.log_var_off > 0),
        key=lambda one: shifted(check, one.mean_gap, one.log_var_off),
        default=None,
    )
    if furthest and shifted(check, furthest.mean_gap, furthest.log_var_off) > 1.0:
        told = (
            f"Validation images differ from training images: in {furthest.name} their means are "
            f"{furthest.mean_gap:.2f} σ apart, and the logarithms of their variances "
            f"{furthest.log_var_off:.2f}."
        )
        own = (
            f"With the statistics of the validation images themselves, accuracy would be "
            f"{check.own.accuracy:.3f}. That is a diagnosis and no cure."
        )
        remedies = (Remedy(RemedyName.LOOK_AT_DATA),)
        return Verdict(Cause.SHIFT, (*evidence, told, own, *after), remedies=remedies)
    told = (
        f"With the same fresh statistics training images get {check.training_fresh.accuracy:.3f} and "
        f"validation images {check.fresh.accuracy:.3f} (update {check.update:,}). Their means and "
        "variances differ no more than training on few images makes them: no statistics are at fault."
    )
    remedies = (Remedy(RemedyName.MORE_DATA),)
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
    return (
        f"At the end of epoch {report.epoch} validation was {report.val_acc:.3f} "
        f"({facts.validation:,} images).",
    )
