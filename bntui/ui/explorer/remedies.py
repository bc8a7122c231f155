"""What helps, in the explorer's keys."""

from collections.abc import Sequence

from bntui.diagnose.remedies import WORDS, Remedy, RemedyName, sentence

KEY_WORDS = WORDS | {
    RemedyName.RECALIBRATE: "[c] tries a recalibration",
    RemedyName.APPLY_RECALIBRATION: "[c] applies the recalibration",
    RemedyName.SET_MOMENTUM: "momentum {momentum}",
    RemedyName.LOWER_LEARNING_RATE: "lower the learning rate, then [r]",
    RemedyName.RAISE_BATCH_SIZE: "raise the batch size",
    RemedyName.RAISE_GHOST_BATCH: "[k] gives a larger ghost batch",
    RemedyName.TRAIN_ON: "[space] goes on",
    RemedyName.TRY_AGAIN: "[r] tries again, [d] takes the built-in digits on any device",
    RemedyName.SEE_TRACEBACK: "[y] shows the traceback",
}


def in_keys(remedies: Sequence[Remedy]) -> str:
    """Return what to do, with the keys in brackets; empty for nothing."""
    return sentence(remedies, KEY_WORDS)
