"""What helps, and what can be done next, in the explorer's keys."""

from collections.abc import Mapping, Sequence

from bntui.core.cells import cell_len
from bntui.core.text import percent
from bntui.diagnose.headline import Headline
from bntui.diagnose.headline_words import Line
from bntui.diagnose.remedies import WORDS, NextStep, Remedy, RemedyName, sentence

KEY_WORDS = WORDS | {
    RemedyName.RECALIBRATE: "[c] recalibrates",
    RemedyName.APPLY_RECALIBRATION: "[c] recalibrates",
    RemedyName.SET_MOMENTUM: "momentum {momentum}",
    RemedyName.PLAIN_MOMENTUM: "estimator momentum, at {momentum}",
    RemedyName.LOWER_LEARNING_RATE: "lower the learning rate, then [r]",
    RemedyName.RAISE_BATCH_SIZE: "raise the batch size",
    RemedyName.RAISE_GHOST_BATCH: "[k] gives a larger ghost batch",
    RemedyName.TRAIN_ON: "[space] goes on",
    RemedyName.TRY_AGAIN: "[r] tries again, [d] takes the built-in digits on any device",
    RemedyName.SEE_TRACEBACK: "[y] shows the traceback",
}
DO_WORDS: Mapping[RemedyName | NextStep, Line] = {
    RemedyName.PLAIN_MOMENTUM: (
        "estimator momentum at {momentum} keeps them right",
        "estimator momentum {momentum}",
    ),
    RemedyName.RECALIBRATE: ("[c] repairs the averages now", "[c] repairs them now"),
    RemedyName.APPLY_RECALIBRATION: (
        "[c] repairs the averages: {accuracy} instead of {instead}",
        "[c] repairs them now",
    ),
    RemedyName.SET_MOMENTUM: ("momentum {momentum} keeps them right", "momentum {momentum}"),
    RemedyName.LOWER_LEARNING_RATE: ("lower the learning rate, then [r] starts again",),
    RemedyName.RAISE_BATCH_SIZE: ("raise the batch size",),
    RemedyName.RAISE_GHOST_BATCH: ("[k] gives a larger ghost batch",),
    RemedyName.MORE_DATA: ("train on more data, or regularize",),
    RemedyName.LOOK_AT_DATA: ("look at the validation images: how were they made?",),
    RemedyName.BALANCE_CLASSES: ("balance the classes in training, or weigh them",),
    RemedyName.MORE_VALIDATION: ("validate on more images",),
    RemedyName.WAIT: (
        "let it train on; if it learns nothing, change the learning rate",
        "let it train",
    ),
    RemedyName.TRAIN_ON: ("[space] goes on",),
    RemedyName.TRY_AGAIN: ("[r] tries again", "[r] again"),
    RemedyName.SEE_TRACEBACK: ("[y] shows the traceback", "[y] traceback"),
    NextStep.LET_IT_TRAIN: ("let it train",),
    NextStep.MEASURING: ("let it train: that is measured next", "let it train"),
    NextStep.GO_ON: ("[space] goes on",),
    NextStep.KNOBS: ("turn a knob with ← → and see what breaks", "← → turn a knob"),
    NextStep.START_AGAIN: ("[r] starts again",),
    NextStep.EXPERIMENTS: (
        "[g] opens experiments that break it and explain why",
        "[g] experiments",
    ),
    NextStep.HELP: ("[?] explains the keys",),
}
"""What the headline's third line says of each, the longest first."""
BETWEEN = " · "


def in_keys(remedies: Sequence[Remedy]) -> str:
    """Return what to do, with the keys in brackets; empty for nothing."""
    return sentence(remedies, KEY_WORDS)


def do_line(headline: Headline) -> Line:
    """Return what to do as a headline's third line, the keys without brackets, the longest first.

    Narrow screens leave out the last things to do rather than cut words.
    """
    full, short = ([_words(one, place) for one in headline.do] for place in (0, -1))
    count = len(short)
    shortened = ((*short[:first], *full[first:]) for first in range(count + 1))
    parts = [*shortened, *(short[:first] for first in range(count - 1, 0, -1))]
    lines = dict.fromkeys(BETWEEN.join(part) for part in parts)
    return tuple(sorted(lines, key=cell_len, reverse=True))


def _words(one: Remedy | NextStep, place: int) -> str:
    if not isinstance(one, Remedy):
        return _without_brackets(DO_WORDS[one][place])
    measured, momentum = one.measured, one.momentum
    return _without_brackets(DO_WORDS[one.name][place]).format(
        momentum="" if momentum is None else f"{momentum:.15g}",
        accuracy=percent(measured.accuracy) if measured else "",
        instead=percent(measured.instead_of) if measured else "",
    )


def _without_brackets(words: str) -> str:
    return words.replace("[", "").replace("]", "")
