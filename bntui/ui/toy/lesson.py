"""What the toy proposes to do next: captions that change as the reader does things.

Pure: a `Lesson` is where the reader stands, `after` is where he stands once the toy has another state.
"""

import math
from dataclasses import dataclass
from enum import IntEnum, auto

from bntui.core.text import exact, percent
from bntui.core.toy import USUAL, VALUES, Toy
from bntui.diagnose.headline_words import Line
from bntui.ui.toy.words import ADVISED, share, sound

SEEN = 12
"""Batches after which one has seen the channel leave."""
LONG_AGO = 120
"""Batches after which one who has lowered nothing has waited for the end of the start value."""
SHORT_MEMORY = 0.5
"""Up to this momentum the remembered curve jumps with every batch."""
JUMPS = 6
"""Batches at such a momentum after which one has seen that."""
CAUGHT_UP = 0.3
"""Deviations between remembered and fresh mean that are no lag any more."""


class Step(IntEnum):
    """What the reader does, in turn."""

    WATCH = auto()
    LOWER = auto()
    CATCH_UP = auto()
    SHORTEN = auto()
    JUMP = auto()
    LENGTHEN = auto()
    REPAIR = auto()
    DONE = auto()


@dataclass(frozen=True, slots=True)
class Lesson:
    """Where the reader stands."""

    step: Step = Step.WATCH
    since: int = 0
    """The update at which the step began."""


def after(lesson: Lesson, toy: Toy, momentum: float) -> Lesson:
    """Return where the reader stands now; a step whose purpose is reached is left."""
    while _reached(lesson, toy, momentum):
        lesson = Lesson(Step(lesson.step + 1), toy.update)
    return lesson


def _reached(lesson: Lesson, toy: Toy, momentum: float) -> bool:
    """Tell whether what a step is for has been seen."""
    updates = toy.update - lesson.since
    gap = abs(toy.running.mean - toy.fresh.mean) / toy.fresh.deviation
    lowered = momentum <= ADVISED
    return {
        Step.WATCH: updates >= SEEN or lowered,
        Step.LOWER: lowered,
        Step.CATCH_UP: gap < CAUGHT_UP and updates > 0,
        Step.SHORTEN: momentum <= SHORT_MEMORY,
        Step.JUMP: momentum > SHORT_MEMORY or updates >= JUMPS,
        Step.LENGTHEN: momentum > SHORT_MEMORY,
        Step.REPAIR: toy.recalibrated,
        Step.DONE: False,
    }[lesson.step]


def caption(lesson: Lesson, toy: Toy, momentum: float, leaves: Line) -> Line:
    """Say what to do next or what is to be seen. `leaves` says how to leave the toy, and for what."""
    if lesson.step is Step.LOWER and momentum >= USUAL and toy.update > LONG_AGO and sound(toy):
        return _waited(toy)
    return _texts(momentum, leaves)[lesson.step]


def memory(momentum: float) -> str:
    """Say what a momentum means: what is kept, and in how many batches half of it is gone."""
    if momentum == 0:
        return "momentum 0 keeps nothing: the last batch is all that is remembered"
    half = round(math.log(0.5) / math.log(momentum))
    batches = f"{half} batches" if half > 1 else "1 batch"
    kept = f"momentum {exact(momentum)} keeps {share(momentum)} at each batch"
    return f"{kept} · half of it is gone after {batches}"


def anew(momentum: float) -> str:
    """Say that all begins again."""
    return f"from the start again, with momentum {exact(momentum)} and the same batches"


RECALIBRATED = f"recalibrated: mean and variance of all {VALUES:,} values, with the weights of now"
STILL = "the weights stand still: the channel stays where it is"
MOVING = "the weights learn on: the channel moves again"


def _waited(toy: Toy) -> Line:
    """Say that updates enough heal it as well."""
    left = "nothing" if toy.recalibrated else percent(toy.start_left)
    return (
        f"{toy.update} batches healed it: {left} of the start value is left. So small batches work: they "
        "are many. r begins again",
        f"{toy.update} batches healed it: {left} of the start is left. r begins again",
        f"{toy.update} batches healed it. r begins again",
    )


def _texts(momentum: float, leaves: Line) -> dict[Step, Line]:
    kept, new = share(momentum), share(1 - momentum)
    return {
        Step.WATCH: (
            f"Watch: the weights learn, so the filled curve leaves; the line keeps {kept} of its place at "
            "each batch",
            f"Watch: the filled curve leaves; the line keeps {kept} of its place",
            "Watch: the filled curve leaves; the line stays behind",
        ),
        Step.LOWER: (
            "← lowers the momentum, the share of the old that is kept: try 0.9. Or wait: ↑ drops more "
            "batches a second",
            "← lowers the momentum, the share of the old that is kept: try 0.9",
            "← lowers the momentum, what is kept of the old: try 0.9",
        ),
        Step.CATCH_UP: (
            f"Watch the line catch up: now it goes {new} of the way to each batch's mean",
            "Watch the line catch up with the filled curve",
        ),
        Step.SHORTEN: (
            "It has caught up. ← down to 0: then nothing but the last batch is remembered",
            "It has caught up. Now ← down to 0",
        ),
        Step.JUMP: (
            "Watch the line jump with every batch: eight values are few, and validation jumps with it",
            "The line jumps with every batch: eight values are few",
        ),
        Step.LENGTHEN: (
            "→ remembers more batches again: the more of them count, the calmer the line",
            "→ remembers more batches again: a calmer line",
        ),
        Step.REPAIR: (
            "→ to 0.99, then r: it fails again. Then c recalibrates, with the statistics of all values "
            "at once",
            "→ to 0.99, then r: it fails. Then c recalibrates with all values",
            "→ to 0.99, then r: it fails. Then c recalibrates",
        ),
        Step.DONE: leaves,
    }
