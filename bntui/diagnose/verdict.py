"""The verdict on a snapshot: the cause, the evidence and the remedies.

A cause is named when the same weights were evaluated with that cause alone removed, by exchanging
statistics, images or class shares. Two evaluations are called different when
`significance.py` says so. Imports no torch.
"""

import math

from bntui.core import rules
from bntui.core.measured import Validation
from bntui.core.snapshot import Phase, Snapshot
from bntui.diagnose import significance
from bntui.diagnose.causes import Cause, Verdict, last_good
from bntui.diagnose.other_causes import not_the_statistics
from bntui.diagnose.remedies import Remedy, RemedyName
from bntui.diagnose.stale import stale
from bntui.diagnose.watched import watched_verdict


def verdict(snapshot: Snapshot) -> Verdict:
    """Judge `snapshot` by its last validation, and by what was exchanged lately."""
    if snapshot.watched:
        return watched_verdict(snapshot, snapshot.watched)
    validation = snapshot.validation
    if snapshot.phase is Phase.FAILED:
        traceback = (Remedy(RemedyName.SEE_TRACEBACK),) if snapshot.traceback else ()
        remedies = (Remedy(RemedyName.TRY_AGAIN), *traceback)
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
        return stale(snapshot, validation)
    if validation.layers and significance.undecided(validation.difference):
        return _too_few_images(validation)
    return not_the_statistics(snapshot, validation)


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
    remedies = (Remedy(RemedyName.TRAIN_ON),)
    return Verdict(Cause.WAITING, ("Nothing is validated yet.",), remedies=remedies)


def _non_finite(snapshot: Snapshot) -> Verdict:
    remedies = (Remedy(RemedyName.LOWER_LEARNING_RATE),)
    divergence = snapshot.divergence
    if divergence is None:
        sentence = "Running statistics are not finite."
        return Verdict(Cause.NON_FINITE, (sentence,), remedies=remedies)
    evidence = [
        f"The first number that is not finite came at update {divergence.update:,}, in "
        f"{divergence.layer}."
    ]
    good = last_good(snapshot.series.get("fresh_acc"), divergence.update)
    if good is not None:
        evidence.append(
            f"Before, validation was {good[1]:.3f} with fresh statistics (update {good[0]:,.0f})."
        )
    return Verdict(Cause.NON_FINITE, tuple(evidence), "Statistics that are NaN stay NaN.", remedies)


def _one_value(snapshot: Snapshot, validation: Validation) -> Verdict:
    layer = min(validation.layers, key=lambda layer: layer.positions)
    ghost = snapshot.config.norm == "ghost" and snapshot.knobs.batch_size > 1
    batch = "A ghost batch" if ghost else "A batch"
    evidence = (
        f"{batch} of 1 image gives {layer.name} one value per channel: its variance is 0, and its "
        "output the bias alone.",
        "PyTorch raises an error here, Keras trains on.",
    )
    remedy = Remedy(RemedyName.RAISE_GHOST_BATCH if ghost else RemedyName.RAISE_BATCH_SIZE)
    return Verdict(Cause.ONE_VALUE, evidence, remedies=(remedy,))


def _too_few_images(validation: Validation) -> Verdict:
    difference, images = validation.difference, validation.images
    lost = max(abs(difference.accuracy), significance.GAP)
    errors = significance.ERRORS * difference.accuracy_error / lost
    enough = images * errors * errors
    evidence = [
        f"With {images:,} image{'s' if images > 1 else ''}, {validation.running.accuracy:.3f} with running "
        f"and {validation.fresh.accuracy:.3f} with fresh statistics can't be told apart.",
    ]
    if math.isfinite(enough):
        more = max(math.ceil(enough), images + 1)
        evidence.append(f"About {more:,} images would show a difference of {lost:.2f}.")
    return Verdict(Cause.UNDECIDED, tuple(evidence), remedies=(Remedy(RemedyName.MORE_VALIDATION),))
