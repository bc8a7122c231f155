"""What helps, and what can be done next, in the explorer's keys."""

from collections.abc import Mapping, Sequence

from bntui.core.cells import cell_len
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.text import percent
from bntui.diagnose.headline import Headline
from bntui.diagnose.headline_words import Line, at_words
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
FOLLOWED_WORDS = WORDS | {
    RemedyName.RECALIBRATE: "recalibrate",
    RemedyName.APPLY_RECALIBRATION: "recalibrate",
    RemedyName.SET_MOMENTUM: "momentum {momentum}",
    RemedyName.PLAIN_MOMENTUM: "estimator momentum, at {momentum}",
    RemedyName.LOWER_LEARNING_RATE: "lower the learning rate",
    RemedyName.RAISE_BATCH_SIZE: "raise the batch size",
    RemedyName.RAISE_GHOST_BATCH: "raise the ghost batch",
    RemedyName.TRAIN_ON: "train on",
    RemedyName.TRY_AGAIN: "try again, or take the built-in digits on any device",
    RemedyName.SEE_TRACEBACK: "see the report",
}
"""What helps a run that is followed, where no key does it."""
FOLLOWED_DO: Mapping[RemedyName | NextStep, Line] = {
    RemedyName.PLAIN_MOMENTUM: DO_WORDS[RemedyName.PLAIN_MOMENTUM],
    RemedyName.RECALIBRATE: ("a recalibration repairs the averages", "recalibrate"),
    RemedyName.APPLY_RECALIBRATION: (
        "a recalibration repairs the averages: {accuracy} instead of {instead}",
        "a recalibration repairs them",
    ),
    RemedyName.SET_MOMENTUM: DO_WORDS[RemedyName.SET_MOMENTUM],
    RemedyName.LOWER_LEARNING_RATE: ("a lower learning rate",),
    RemedyName.RAISE_BATCH_SIZE: ("a larger batch",),
    RemedyName.RAISE_GHOST_BATCH: ("a larger ghost batch",),
    RemedyName.MORE_DATA: DO_WORDS[RemedyName.MORE_DATA],
    RemedyName.LOOK_AT_DATA: DO_WORDS[RemedyName.LOOK_AT_DATA],
    RemedyName.BALANCE_CLASSES: DO_WORDS[RemedyName.BALANCE_CLASSES],
    RemedyName.MORE_VALIDATION: DO_WORDS[RemedyName.MORE_VALIDATION],
    RemedyName.WAIT: DO_WORDS[RemedyName.WAIT],
    NextStep.LET_IT_TRAIN: DO_WORDS[NextStep.LET_IT_TRAIN],
    NextStep.MEASURING: DO_WORDS[NextStep.MEASURING],
}
"""What the third line says of a run that is followed; what takes a run of one's own is left out."""
ASKED: Line = (
    "c asks it to recalibrate, which repairs the averages now",
    "c asks it to recalibrate",
)
"""What it says where a watched training takes requests."""
LEFT_OPEN: Line = (
    "It was interrupted: what was recorded until then is shown",
    "It was interrupted",
)
"""What it says of a run that is followed and was interrupted, where the run itself says nothing."""
READ_ON: Line = (
    "v shows every measurement, o lists the runs; q leaves this one as it is",
    "v shows the measurements; q leaves it as it is",
)
"""What it says where nothing has to be done, or nothing can be from here."""
BETWEEN = " · "


def in_keys(remedies: Sequence[Remedy], *, followed: bool = False) -> str:
    """Return what to do, with the keys in brackets where the run is one's own; empty for nothing."""
    return sentence(remedies, FOLLOWED_WORDS if followed else KEY_WORDS)


def third_line(snapshot: Snapshot, headline: Headline) -> Line:
    """Return what to do, the longest first: with keys where the run is one's own."""
    if not snapshot.followed:
        return do_line(headline)
    if snapshot.phase is Phase.INTERRUPTED:
        message = snapshot.message
        return at_words(message[0].upper() + message[1:], LEFT_OPEN[-1]) if message else LEFT_OPEN
    if snapshot.watched:
        asked = ASKED if headline.do else ()
        both = (f"{ASKED[-1]}{BETWEEN}{told}" for told in headline.told if asked)
        return (*both, *(asked or headline.told)) or READ_ON
    return _joined(headline, FOLLOWED_DO) or READ_ON


def do_line(headline: Headline) -> Line:
    """Return what to do as a headline's third line, the keys without brackets, the longest first.

    Narrow screens leave out the last things to do rather than cut words.
    """
    return _joined(headline, DO_WORDS)


def _joined(headline: Headline, words: Mapping[RemedyName | NextStep, Line]) -> Line:
    """Return what to do of which there are `words`; nothing where there are none."""
    do = [one for one in headline.do if _named(one) in words]
    full, short = ([_words(one, place, words) for one in do] for place in (0, -1))
    count = len(short)
    shortened = ((*short[:first], *full[first:]) for first in range(count + 1))
    parts = [*shortened, *(short[:first] for first in range(count - 1, 0, -1))]
    lines = dict.fromkeys(BETWEEN.join(part) for part in parts if part)
    return tuple(sorted(lines, key=cell_len, reverse=True))


def _named(one: Remedy | NextStep) -> RemedyName | NextStep:
    return one.name if isinstance(one, Remedy) else one


def _words(one: Remedy | NextStep, place: int, words: Mapping[RemedyName | NextStep, Line]) -> str:
    told = _without_brackets(words[_named(one)][place])
    if not isinstance(one, Remedy):
        return told
    measured, momentum = one.measured, one.momentum
    return told.format(
        momentum="" if momentum is None else f"{momentum:.15g}",
        accuracy=percent(measured.accuracy) if measured else "",
        instead=percent(measured.instead_of) if measured else "",
    )


def _without_brackets(words: str) -> str:
    return words.replace("[", "").replace("]", "")
