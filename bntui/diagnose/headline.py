"""The verdict in three lines of plain English: what happens, why, and what to do. Imports no torch.

Each line comes in several lengths, for screens of several widths. Figures are rounded so that a line
stands still while the run goes on; the exact ones are the verdict's evidence.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from bntui.core import rules
from bntui.core.cells import cell_len
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.text import percent
from bntui.diagnose.causes import GOOD, OPEN, Cause, Verdict
from bntui.diagnose.headline_words import Line, said
from bntui.diagnose.remedies import NextStep, Remedy, RemedyName
from bntui.diagnose.verdict import verdict
from bntui.diagnose.watched import advice, watched_said

SOON = 40.0
"""Updates within which statistics that will be sound by themselves count as recovering."""
SLACK = 5.0
"""Updates by which a validation may find harm later than twice the time that a forecast gave: the weights move."""

OVER = {Phase.STOPPED, Phase.INTERRUPTED}
"""Phases after which a run can only begin again."""
TURNED = {RemedyName.SET_MOMENTUM, RemedyName.PLAIN_MOMENTUM, RemedyName.RAISE_BATCH_SIZE}
"""Remedies that are knobs: they act with the next update."""


class Tone(StrEnum):
    """How a headline is meant."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Headline:
    """What happens, why, and what to do about it."""

    tone: Tone
    what: Line
    why: Line
    do: tuple[Remedy | NextStep, ...]
    """The best first. Each face of the program words them."""
    told: Line = ()
    """What helps in the words of who watches the training; empty for a run of ours."""


def headline(snapshot: Snapshot) -> Headline:
    """Return the verdict on `snapshot` in three lines."""
    judged = verdict(snapshot)
    if snapshot.watched:
        what, why = watched_said(snapshot, snapshot.watched)
        return Headline(_tone(judged.cause), what, why, *advice(snapshot, snapshot.watched))
    ahead = updates_until_sound(snapshot, judged)
    if ahead is not None:
        return _recovering(snapshot, ahead)
    what, why = said(snapshot, judged)
    return Headline(_tone(judged.cause), what, why, _next_steps(snapshot, judged))


def _tone(cause: Cause) -> Tone:
    return Tone.GOOD if cause in GOOD else Tone.OPEN if cause in OPEN else Tone.BAD


def fitting(line: Line, cells: int) -> str:
    """Return the longest variant of a line that so many cells have room for, else its shortest."""
    return next((text for text in line if cell_len(text) <= cells), line[-1])


def updates_until_sound(snapshot: Snapshot, judged: Verdict) -> float | None:
    """Return in how many updates the running statistics will be sound; None if they don't recover.

    They recover where so few updates are left that nobody has to intervene. The forecast is for weights
    that stand still. So where lag is to blame, it counts only after a change: else it would always be as
    far away. A validation that finds harm long after the forecast's end has shown it to be wrong.
    """
    waiting, seen = snapshot.waiting, snapshot.validation
    if judged.cause not in {Cause.START, Cause.LAG} or waiting is None or seen is None:
        return None
    if seen.update - waiting.update > 2.0 * waiting.sound_in + SLACK:
        return None
    changed = max((mark.update for mark in snapshot.marks if mark.change), default=-math.inf)
    if judged.cause is Cause.LAG and snapshot.update - changed > SOON:
        return None
    ahead = waiting.sound_in - (snapshot.update - waiting.update)
    return max(1.0, ahead) if ahead <= SOON else None


def _recovering(snapshot: Snapshot, ahead: float) -> Headline:
    changed = any(mark.change for mark in snapshot.marks)
    state = "Recovering" if changed else "Not right yet"
    count = "a few" if ahead <= 5 else f"about {5 * math.ceil(ahead / 5)}"
    what = (
        f"{state}: validation will be sound in {count} updates",
        f"{state}: sound in {count} updates",
    )
    if rules.forgets_start(snapshot.knobs):
        why: Line = ("New batches replace the averages that it remembers",)
    else:
        replaced = percent(1.0 - rules.kept(snapshot.config, snapshot.knobs))
        why = (
            f"Each update replaces {replaced} of the averages that BatchNorm remembers by those of a new batch",
            f"Each update replaces {replaced} of the averages that it remembers",
            f"Each update replaces {replaced} of its averages",
        )
    return Headline(Tone.OPEN, what, why, _while_recovering(snapshot))


def _while_recovering(snapshot: Snapshot) -> tuple[Remedy | NextStep, ...]:
    if snapshot.phase in OVER:
        return NextStep.START_AGAIN, NextStep.EXPERIMENTS
    waits = snapshot.phase in {Phase.PAUSED, Phase.FINISHED}
    at_once = Remedy(RemedyName.RECALIBRATE, update=snapshot.update)
    return NextStep.GO_ON if waits else NextStep.LET_IT_TRAIN, at_once


def _next_steps(snapshot: Snapshot, judged: Verdict) -> tuple[Remedy | NextStep, ...]:
    """Return what helps; where nothing has to, what can be done next."""
    if snapshot.phase in OVER:
        return NextStep.START_AGAIN, NextStep.EXPERIMENTS
    waits = snapshot.phase in {Phase.PAUSED, Phase.FINISHED}
    if judged.remedies:
        turned = {one.name for one in judged.remedies} & TURNED
        return (*judged.remedies, NextStep.GO_ON) if waits and turned else judged.remedies
    if judged.cause in GOOD:
        again = snapshot.phase is Phase.FINISHED
        return (NextStep.START_AGAIN if again else NextStep.KNOBS, NextStep.EXPERIMENTS)
    if waits:
        return (NextStep.GO_ON,)
    if judged.cause is Cause.UNDECIDED:
        return (NextStep.MEASURING,)
    return (NextStep.HELP,)
