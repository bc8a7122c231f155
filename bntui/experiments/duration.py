"""How long an experiment takes on this machine, from what runs like its own took. Pure.

Nothing is assumed of the machine. An update of a smaller batch takes no longer than one of a larger
batch, and no less for each of its images: so one measured batch size bounds the time of every other,
and between two measured ones the time is taken to be on a straight line.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bntui.core.config import RunConfig
from bntui.core.plan import end_of
from bntui.core.snapshot import RunFacts, Snapshot

TOGETHER = 2.0
"""Bounds that are no further apart than by this factor are told as one figure."""
SAME = ("dataset", "data_dir", "train_size", "width", "depth")
"""Settings in which a run must be like another for its time to say something of the other's."""


@dataclass(frozen=True, slots=True)
class Took:
    """What one run took, measuring included."""

    config: RunConfig
    facts: RunFacts
    updates: int
    images: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Duration:
    """Bounds of a time, in seconds."""

    low: float
    high: float
    """Infinite where only the lower one is known."""


def took(snapshot: Snapshot) -> Took | None:
    """Return what the run of a snapshot took so far; None before its first update."""
    return taken(
        snapshot.config, snapshot.facts, snapshot.update, snapshot.images, snapshot.seconds
    )


def taken(
    config: RunConfig, facts: RunFacts | None, updates: int, images: int, seconds: float
) -> Took | None:
    """Return what a run took; None where nothing was measured."""
    measured = facts and updates > 0 and images > 0 and math.isfinite(seconds) and seconds > 0
    return Took(config, facts, updates, images, seconds) if facts and measured else None


def duration(
    configs: Sequence[RunConfig], known: Sequence[Took], pace: float = math.inf
) -> Duration | None:
    """Return how long runs take one after another; None where no run like any of them is `known`.

    `known` begins with the newest, and `pace` is at how many updates a second they are watched.
    """
    found = [one for config in configs if (one := _one(config, known, pace))]
    if not found:
        return None
    high = sum(one.high for one in found) if len(found) == len(configs) else math.inf
    return Duration(sum(one.low for one in found), high)


def in_words(time: Duration | None) -> str:
    """Write a time: "about 40 s", "20 s to 6 min", "over 40 s", or a dash for none."""
    if time is None:
        return "–"
    if math.isinf(time.high):
        return f"over {_written(time.low)}"
    if time.high <= TOGETHER * time.low:
        return f"about {_written(math.sqrt(time.low * time.high))}"
    return f"{_written(time.low)} to {_written(time.high)}"


def _one(config: RunConfig, known: Sequence[Took], pace: float) -> Duration | None:
    """Return how long one run takes."""
    like = [one for one in known if _alike(one, config)]
    like = [one for one in like if one.config.norm == config.norm] or like
    if not like:
        return None
    whole = Snapshot(config=config, facts=like[0].facts, knobs=config.knobs, epochs=config.epochs)
    end = end_of(whole)
    if end is None:  # it goes on until somebody ends it
        return None
    low, high = _of_update(end.images / end.update, like, end.images)
    waited = end.update / (pace if math.isinf(config.knobs.pace) else config.knobs.pace)
    return Duration(max(end.update * low, waited), max(end.update * high, waited))


def _alike(one: Took, config: RunConfig) -> bool:
    if config.device not in {"auto", one.facts.device}:
        return False
    if bool(one.config.twin) is not bool(config.twin):  # two runs take their time together
        return False
    return all(getattr(one.config, name) == getattr(config, name) for name in SAME)


def _of_update(batch: float, like: Iterable[Took], images: int) -> tuple[float, float]:
    """Return bounds of the seconds of an update with so many images.

    Of runs at one batch size the one counts that is most like a run of so many `images` in length.
    """
    by_batch: dict[float, list[Took]] = {}
    for one in like:
        by_batch.setdefault(one.images / one.updates, []).append(one)
    times = {
        size: (best := min(runs, key=lambda one: abs(math.log(one.images / images)))).seconds
        / best.updates
        for size, runs in sorted(by_batch.items())
    }
    below = max((size for size in times if size <= batch), default=None)
    above = min((size for size in times if size >= batch), default=None)
    if below is not None and above is not None:
        share = (batch - below) / (above - below) if above > below else 0.0
        between = times[below] + share * (times[above] - times[below])
        return between, between
    if above is not None:
        return times[above] * batch / above, times[above]
    assert below is not None
    return times[below], times[below] * batch / below


def _written(seconds: float) -> str:
    """Write a time with as many figures as an estimate has."""
    if seconds < 1:
        return "1 s"
    if seconds < 20:
        return f"{seconds:.0f} s"
    if seconds < 87.5:
        return f"{5 * round(seconds / 5):.0f} s"
    minutes = seconds / 60
    if minutes < 5:
        return f"{round(2 * minutes) / 2:g} min"
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
