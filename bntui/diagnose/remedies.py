"""What helps, as values; and how to do it, in the explorer's keys and on the command line.

Imports no torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What can be done."""

    RECALIBRATE = "recalibrate"
    """Replace the running statistics by pooled ones of training batches; what it gives is not known yet."""
    APPLY_RECALIBRATION = "apply the recalibration"
    """It was tried: `accuracy` is what it gives."""
    MOMENTUM = "momentum"
    """Another momentum, `value` in Keras's convention."""
    LEARNING_RATE = "lower the learning rate"
    BATCH_SIZE = "raise the batch size"
    GHOST_BATCH = "raise the ghost batch"
    MORE_DATA = "more data or regularisation"
    LOOK_AT_DATA = "look at the data"
    BALANCE = "balance the classes"
    MORE_VALIDATION = "validate on more images"
    WAIT = "wait"
    GO_ON = "go on"
    TRY_AGAIN = "try again"
    TRACEBACK = "see the traceback"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to do, with what it was measured to give."""

    kind: Kind
    value: float | None = None
    accuracy: float | None = None
    """Validation accuracy with it, where that was measured."""
    instead_of: float | None = None
    """Without it, on the same images."""
    update: int | None = None
    """When that was measured, …"""
    images: int | None = None
    """… and on how many validation images."""


def in_explorer(remedies: Sequence[Remedy]) -> str:
    """Return what to do, with the explorer's keys in brackets; empty for nothing."""
    return _sentence(remedies, _KEYS)


def on_command_line(remedies: Sequence[Remedy]) -> str:
    """Return what to do, with options of `bntui run`; empty for nothing."""
    return _sentence(remedies, _OPTIONS)


_KEYS = {
    Kind.RECALIBRATE: "[c] tries a recalibration",
    Kind.APPLY_RECALIBRATION: "[c] applies the recalibration",
    Kind.MOMENTUM: "momentum {value:.15g}",
    Kind.LEARNING_RATE: "lower the learning rate, then [r]",
    Kind.BATCH_SIZE: "raise the batch size",
    Kind.GHOST_BATCH: "[k] gives a larger ghost batch",
    Kind.MORE_DATA: "more data or regularisation",
    Kind.LOOK_AT_DATA: "look at the data: no statistics of training images fit them",
    Kind.BALANCE: "balance or weigh the classes in training",
    Kind.MORE_VALIDATION: "validate on more images",
    Kind.WAIT: "wait; or it is an optimisation problem",
    Kind.GO_ON: "[space] goes on",
    Kind.TRY_AGAIN: "[r] tries again, [d] takes the built-in digits on any device",
    Kind.TRACEBACK: "[y] shows the traceback",
}
_OPTIONS = _KEYS | {
    Kind.RECALIBRATE: "recalibrate (--at {update}:recalibrate)",
    Kind.APPLY_RECALIBRATION: "recalibrate (--at {update}:recalibrate)",
    Kind.MOMENTUM: "--momentum {value:.15g}",
    Kind.LEARNING_RATE: "lower the learning rate (--lr)",
    Kind.BATCH_SIZE: "raise the batch size (--batch-size)",
    Kind.GHOST_BATCH: "raise the ghost batch (--ghost-batch)",
    Kind.GO_ON: "train on (--epochs)",
    Kind.TRY_AGAIN: "try again, or take --dataset digits --device cpu",
    Kind.TRACEBACK: "see the report",
}


def _sentence(remedies: Sequence[Remedy], words: dict[Kind, str]) -> str:
    return "; ".join(_one(remedy, words[remedy.kind]) for remedy in remedies)


def _one(remedy: Remedy, words: str) -> str:
    words = words.format(value=remedy.value, update=remedy.update)
    if remedy.accuracy is None:
        return words
    found = f"{words}: {remedy.accuracy:.3f}"
    if remedy.instead_of is not None:
        found += f" instead of {remedy.instead_of:.3f}"
    if remedy.images:
        found += f" on {remedy.images:,} images at update {remedy.update:,}"
    return found
