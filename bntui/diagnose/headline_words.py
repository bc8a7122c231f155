"""What a headline says of each cause: what happens, and why. Imports no torch.

Each line comes in several lengths, the longest first, and its figures are rounded so that it stands still
while the run goes on.
"""

import textwrap
from collections.abc import Callable

from bntui.core.measured import Validation
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.text import exact, percent, plain
from bntui.diagnose.causes import Cause, Verdict, recent_accuracy
from bntui.diagnose.remedies import Remedy
from bntui.diagnose.stale import best_momentum, by_loss

WIDTHS = (116, 76, 56)
"""Cells that a line has on terminals of 120, 80 and 60 columns, beside its mark and margins; its last
variant fits the narrowest."""
Line = tuple[str, ...]
"""One sentence in several lengths, the longest first."""
Said = tuple[Line, Line]
"""What happens, and why."""


def at_words(text: str, instead: str = "…") -> Line:
    """Return a text of any length in variants that are cut between words; `instead` of a single one."""
    short = [textwrap.shorten(text, width, placeholder=" …") for width in WIDTHS]
    return tuple(dict.fromkeys([text, *(instead if line == "…" else line for line in short)]))


def said(snapshot: Snapshot, judged: Verdict) -> Said:
    """Return the first two lines of a headline."""
    return _SAY[judged.cause](snapshot, judged)


def _waiting(snapshot: Snapshot, _: Verdict) -> Said:
    if snapshot.phase is Phase.LOADING:
        message = snapshot.message or "loading"
        what = at_words(message[0].upper() + message[1:], "Loading")
        return what, ("Training begins by itself once everything is in memory",)
    if not snapshot.observing:
        return ("Nothing is measured",), ("This run was opened with --no-validation",)
    if snapshot.phase is Phase.RUNNING:
        return ("Training begins",), ("The first validation follows within a few updates",)
    return ("Nothing is validated yet",), ("The run waits before its first update",)


def _failed(snapshot: Snapshot, _: Verdict) -> Said:
    return ("The run failed",), at_words(
        snapshot.message or "It gives no reason", "Its message is too long for this line"
    )


def _non_finite(snapshot: Snapshot, _: Verdict) -> Said:
    what = ("Training broke down: its numbers are no longer finite", "Training broke down")
    found = snapshot.divergence
    if found is None:
        return what, (
            "The remembered averages are infinite or NaN, and they stay so",
            "The remembered averages are infinite or NaN",
        )
    place = "the loss" if found.layer == "loss" else found.layer
    return what, (
        f"At update {found.update:,} {place} became infinite or NaN; whatever is computed from it is NaN too",
        f"At update {found.update:,} {place} became infinite or NaN",
        f"At update {found.update:,} a number became infinite or NaN",
    )


def _one_value(snapshot: Snapshot, _: Verdict) -> Said:
    layers = snapshot.validation.layers if snapshot.validation else ()
    name = min(layers, key=lambda layer: layer.positions).name if layers else "a layer"
    return (
        ("BatchNorm can't normalize one value per channel",),
        (
            f"In {name} the mean of one value is the value itself: whatever comes in, the same comes out",
            f"In {name} the mean of one value is the value itself",
            "The mean of one value is the value itself",
        ),
    )


def _fails(snapshot: Snapshot) -> Line:
    """Say how far validation with running statistics is below that with fresh ones."""
    seen = snapshot.validation
    assert seen is not None
    if by_loss(seen):
        running, fresh = plain(seen.running.loss), plain(seen.fresh.loss)
        return (
            f"Validation is less certain than it could be: loss {running} instead of {fresh}",
            f"Validation suffers: loss {running} instead of {fresh}",
        )
    verb = "fails" if seen.running.accuracy < 0.5 * seen.fresh.accuracy else "suffers"
    running, fresh = percent(seen.running.accuracy), percent(seen.fresh.accuracy)
    return (f"Validation {verb}: {running} instead of {fresh}",)


def _never_updated(snapshot: Snapshot, _: Verdict) -> Said:
    return _fails(snapshot), (
        "BatchNorm validates with averages that were never updated: every mean is 0, every variance 1",
        "The averages it validates with were never updated",
    )


def _convention(snapshot: Snapshot, judged: Verdict) -> Said:
    momentum = exact(snapshot.knobs.momentum)
    meant = exact(judged.remedies[0].momentum or 0.0)
    kept = percent(snapshot.knobs.momentum)
    return _fails(snapshot), (
        f"Here momentum {momentum} keeps {kept} of the old averages; PyTorch's {momentum} would be {meant}",
        f"PyTorch's momentum {momentum} would be {meant} here",
    )


def _start(snapshot: Snapshot, _: Verdict) -> Said:
    layers = snapshot.validation.layers if snapshot.validation else ()
    left = _about(max((layer.start_left for layer in layers), default=0.0))
    return _fails(snapshot), (
        f"BatchNorm validates with averages that it remembers; {left} of them is still their start value",
        f"{left} of the averages it validates with is still their start value".capitalize(),
        f"{left} of ".capitalize() + "BatchNorm's averages is their start value",
    )


def _lag(snapshot: Snapshot, _: Verdict) -> Said:
    better = best_momentum(snapshot)
    if better and better.momentum is not None and better.momentum > snapshot.knobs.momentum:
        return _fails(snapshot), (
            "BatchNorm validates with averages that it remembers, and they cover too few images",
            "The averages it validates with cover too few images",
        )
    return _fails(snapshot), (
        "BatchNorm validates with averages that it remembers, and they lag behind the weights",
        "The averages it validates with lag behind the weights",
    )


def _elsewhere(snapshot: Snapshot, _: Verdict) -> Said:
    check = snapshot.data_check
    assert check is not None
    running = percent(check.training_running.accuracy)
    fresh = percent(check.training_fresh.accuracy)
    return (
        (
            "BatchNorm's averages are wrong, though these validation images don't show it",
            "The averages are wrong, but validation doesn't show it",
        ),
        (
            f"Training images score {running} with the remembered averages and {fresh} with fresh ones",
            f"Training images score {running} instead of {fresh}",
        ),
    )


def _below_training(snapshot: Snapshot, seen: Validation) -> Line:
    check = snapshot.data_check  # of one update, and so of the same weights
    fresh = check.fresh.accuracy if check else seen.fresh.accuracy
    train = check.training_fresh.accuracy if check else recent_accuracy(snapshot)
    gap = f"{percent(fresh)} against {percent(train)}"
    return (f"Validation is worse than training: {gap}",)


def _classes(snapshot: Snapshot, _: Verdict) -> Said:
    assert snapshot.validation is not None
    assert snapshot.data_check is not None
    would = percent(snapshot.data_check.as_trained)
    return _below_training(snapshot, snapshot.validation), (
        f"Its classes are not as frequent as in training; if they were, validation would reach {would}",
        f"With classes as frequent as in training it would be {would}",
    )


def _shift(snapshot: Snapshot, _: Verdict) -> Said:
    assert snapshot.validation is not None
    return _below_training(snapshot, snapshot.validation), (
        "The validation images differ from the training images, so no averages of training images fit them",
        "The validation images differ from the training images",
    )


def _overfitting(snapshot: Snapshot, _: Verdict) -> Said:
    assert snapshot.validation is not None
    return _below_training(snapshot, snapshot.validation), (
        "The network knows its training images by heart; BatchNorm's averages are not to blame",
        "The network knows its training images by heart",
    )


def _learning(snapshot: Snapshot, _: Verdict) -> Said:
    assert snapshot.validation is not None
    seen = percent(snapshot.validation.fresh.accuracy)
    what = (
        f"The network has learned little so far: validation is at {seen}",
        f"Little is learned so far: validation is at {seen}",
    )
    return what, (
        "That is about as good as guessing, so BatchNorm's averages make no difference yet",
        "BatchNorm's averages make no difference yet",
    )


def _undecided(snapshot: Snapshot, judged: Verdict) -> Said:
    seen = snapshot.validation
    assert seen is not None
    if any(isinstance(one, Remedy) for one in judged.remedies):
        running, fresh = percent(seen.running.accuracy), percent(seen.fresh.accuracy)
        images = f"{seen.images:,} validation image{'s' if seen.images > 1 else ''}"
        return (
            (
                f"Not decided: {running} with remembered averages, {fresh} with fresh ones",
                f"Not decided: {running} remembered, {fresh} fresh",
            ),
            (
                f"With {images} a difference like this may be chance",
                "With so few validation images this may be chance",
            ),
        )
    return _below_training(snapshot, seen), (
        "BatchNorm's averages are right; whether the images differ is not measured yet",
        "The averages are right; the images are compared next",
    )


def _no_batch_norm(snapshot: Snapshot, _: Verdict) -> Said:
    assert snapshot.validation is not None
    seen = percent(snapshot.validation.running.accuracy)
    return (f"Validation shows what the network can do: {seen}",), (
        "Without BatchNorm no averages are remembered between updates, so none can go stale",
        "Without BatchNorm no averages can go stale",
    )


def _sound(snapshot: Snapshot, _: Verdict) -> Said:
    assert snapshot.validation is not None
    seen = percent(snapshot.validation.running.accuracy)
    return (f"Validation shows what the network can do: {seen}",), (
        "The averages that BatchNorm remembers do as well as fresh ones",
        "The remembered averages do as well as fresh ones",
    )


def _about(share: float) -> str:
    """Write a share that changes all the time so that it seldom does: to the nearest tenth."""
    if share <= 0.1:
        return "up to 10 %" if share > 0.05 else "up to 5 %"
    return "nearly all" if share >= 0.95 else f"about {round(10 * share) * 10} %"


_SAY: dict[Cause, Callable[[Snapshot, Verdict], Said]] = {
    Cause.WAITING: _waiting,
    Cause.FAILED: _failed,
    Cause.NON_FINITE: _non_finite,
    Cause.ONE_VALUE: _one_value,
    Cause.NEVER_UPDATED: _never_updated,
    Cause.CONVENTION: _convention,
    Cause.START: _start,
    Cause.LAG: _lag,
    Cause.ELSEWHERE: _elsewhere,
    Cause.CLASSES: _classes,
    Cause.SHIFT: _shift,
    Cause.OVERFITTING: _overfitting,
    Cause.LEARNING: _learning,
    Cause.UNDECIDED: _undecided,
    Cause.NO_BATCH_NORM: _no_batch_norm,
    Cause.SOUND: _sound,
}
