"""What helps, as values. Each face of the program words them with what it has: keys, or options.

Imports no torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class RemedyName(StrEnum):
    """What can be done, as JSON and the store name it."""

    RECALIBRATE = "recalibrate"
    """Replace the running statistics by pooled ones of training batches; what it gives is not known yet."""
    APPLY_RECALIBRATION = "apply-recalibration"
    """It was tried, and what it gives was measured."""
    SET_MOMENTUM = "set-momentum"
    PLAIN_MOMENTUM = "plain-momentum"
    """Set it, and the estimator `momentum`: the run's own has no momentum."""
    LOWER_LEARNING_RATE = "lower-learning-rate"
    RAISE_BATCH_SIZE = "raise-batch-size"
    RAISE_GHOST_BATCH = "raise-ghost-batch"
    MORE_DATA = "more-data-or-regularisation"
    LOOK_AT_DATA = "look-at-data"
    BALANCE_CLASSES = "balance-classes"
    MORE_VALIDATION = "validate-on-more-images"
    WAIT = "wait"
    TRAIN_ON = "train-on"
    TRY_AGAIN = "try-again"
    SEE_TRACEBACK = "see-traceback"


class NextStep(StrEnum):
    """What can be done where nothing has to be put right."""

    LET_IT_TRAIN = "let-it-train"
    MEASURING = "measuring"
    """What is missing is measured next."""
    GO_ON = "go-on"
    START_AGAIN = "start-again"
    KNOBS = "knobs"
    """Turn one, and see what it breaks."""
    EXPERIMENTS = "experiments"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Measured:
    """Validation accuracy with a remedy and without it, on the same images."""

    accuracy: float
    instead_of: float
    update: int
    images: int
    """0 where their number was not kept."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to do, with its arguments and what it was measured to give."""

    name: RemedyName
    momentum: float | None = None
    """Keras's, of SET_MOMENTUM and PLAIN_MOMENTUM."""
    update: int | None = None
    """After which to recalibrate."""
    measured: Measured | None = None


def values(remedy: Remedy) -> dict[str, Any]:
    """Return a remedy as plain values by name, without those that it does not have."""
    return _present(asdict(remedy))


def sentence(remedies: Sequence[Remedy], words: Mapping[RemedyName, str]) -> str:
    """Return remedies in `words`, which may hold `{momentum}` and `{update}`; empty for none."""
    return "; ".join(_one(remedy, words[remedy.name]) for remedy in remedies)


WORDS = {
    RemedyName.MORE_DATA: "more data or regularisation",
    RemedyName.LOOK_AT_DATA: "look at the data: no statistics of training images fit them",
    RemedyName.BALANCE_CLASSES: "balance or weigh the classes in training",
    RemedyName.MORE_VALIDATION: "validate on more images",
    RemedyName.WAIT: "wait; or it is an optimisation problem",
}
"""Remedies that are no single key or option, in the words of every face."""


def _present(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _present(value) if isinstance(value, dict) else value
        for name, value in found.items()
        if value is not None
    }


def _one(remedy: Remedy, words: str) -> str:
    momentum = "" if remedy.momentum is None else f"{remedy.momentum:.15g}"
    words = words.format(momentum=momentum, update=remedy.update)
    measured = remedy.measured
    if measured is None:
        return words
    found = f"{words}: {measured.accuracy:.3f} instead of {measured.instead_of:.3f}"
    if measured.images:
        found += f" on {measured.images:,} images at update {measured.update:,}"
    return found
