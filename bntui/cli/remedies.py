"""What helps, in options of `bntui run`."""

from collections.abc import Sequence

from bntui.diagnose.remedies import WORDS, Remedy, RemedyName, sentence

OPTION_WORDS = WORDS | {
    RemedyName.RECALIBRATE: "recalibrate (--at {update}:recalibrate)",
    RemedyName.APPLY_RECALIBRATION: "recalibrate (--at {update}:recalibrate)",
    RemedyName.SET_MOMENTUM: "--momentum {momentum}",
    RemedyName.PLAIN_MOMENTUM: "--estimator momentum --momentum {momentum}",
    RemedyName.LOWER_LEARNING_RATE: "lower the learning rate (--lr)",
    RemedyName.RAISE_BATCH_SIZE: "raise the batch size (--batch-size)",
    RemedyName.RAISE_GHOST_BATCH: "raise the ghost batch (--ghost-batch)",
    RemedyName.TRAIN_ON: "train on (--epochs)",
    RemedyName.TRY_AGAIN: "try again, or take --dataset digits --device cpu",
    RemedyName.SEE_TRACEBACK: "see the report",
}


def in_options(remedies: Sequence[Remedy]) -> str:
    """Return what to do, with the options that do it; empty for nothing."""
    return sentence(remedies, OPTION_WORDS)
