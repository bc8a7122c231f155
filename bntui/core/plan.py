"""How far a run is planned to go: its last update, and the images it will have seen by then. Pure."""

from dataclasses import dataclass
from functools import lru_cache

from bntui.core import rules
from bntui.core.snapshot import Snapshot

UNPLANNED = 10_000
"""Epochs from which on a run is not meant to come to an end."""


@dataclass(frozen=True, slots=True)
class End:
    """Where a run pauses by itself."""

    update: int
    images: int


def end_of(snapshot: Snapshot) -> End | None:
    """Return where the run is to pause, by the batch size in use and its schedule.

    None before it is loaded, and where no end is meant. A run that is past it, as one read from
    the store may be, ends where it is.
    """
    if snapshot.watched:
        return _end_of_watched(snapshot)
    facts, config = snapshot.facts, snapshot.config
    goal = _goal_steps(snapshot)
    if facts is None or (snapshot.epochs >= UNPLANNED and goal is None):
        return None
    train = facts.train
    batch = min(snapshot.knobs.batch_size, train)
    begun = -(-snapshot.images // train)
    if begun > snapshot.epochs:
        return End(snapshot.update, snapshot.images)
    rest = begun * train - snapshot.images
    # An epoch has an update at least: those beyond the goal need no counting.
    epochs = snapshot.epochs if goal is None else min(snapshot.epochs, begun + goal)
    whole = _updates_of(config.batch_schedule, begun, epochs, batch, train)
    last = snapshot.update + _filled(rest, batch) + whole
    if goal is None or goal >= last:
        return End(last, epochs * train)
    ahead = max(0, goal - snapshot.update)
    return End(snapshot.update + ahead, snapshot.images + _images_in(ahead, rest, batch, train))


def _end_of_watched(snapshot: Snapshot) -> End | None:
    """Return where a training by other code is to end; None where its epochs are not known."""
    last = snapshot.epochs * snapshot.updates_per_epoch
    if last <= snapshot.update or not snapshot.update:
        return None
    return End(last, round(last * snapshot.images / snapshot.update))


def _goal_steps(snapshot: Snapshot) -> int | None:
    """Return the update at which the run pauses within its epochs.

    Trained on, it goes as far again: in updates, as in epochs.
    """
    steps = snapshot.config.steps
    return None if steps is None else steps * max(1, snapshot.epochs // snapshot.config.epochs)


def _filled(images: int, batch: int) -> int:
    """Return how many updates so many images take: the last one of an epoch takes what is left."""
    return -(-images // batch)


@lru_cache(maxsize=16)
def _updates_of(schedule: str, begun: int, epochs: int, batch: int, train: int) -> int:
    """Return the updates of the whole epochs behind those that have begun."""
    if not schedule:
        return (epochs - begun) * _filled(train, batch)
    updates = 0
    for epoch in range(begun + 1, epochs + 1):
        batch = min(rules.scheduled_batch(schedule, epoch, batch), train)
        updates += _filled(train, batch)
    return updates


def _images_in(updates: int, rest: int, batch: int, train: int) -> int:
    """Return the images of so many updates of one batch size, the first in an epoch's `rest`."""
    first = _filled(rest, batch)
    if updates <= first:
        return min(rest, updates * batch)
    epochs, more = divmod(updates - first, _filled(train, batch))
    return rest + epochs * train + min(train, more * batch)
