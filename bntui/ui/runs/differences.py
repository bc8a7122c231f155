"""In what two runs differ, in words."""

import math

from bntui.core.settings import SETTINGS, change_words
from bntui.core.snapshot import Snapshot
from bntui.core.watched import Watched
from bntui.core.watched_words import described
from bntui.store.listing import differences

NOTHING = "–"


def differing(one: Snapshot, other: Snapshot) -> list[tuple[str, str, str]]:
    """Return what two runs differ in: the settings they began with, then what was turned meanwhile.

    Each is its name and the two values, as the knobs write them. Of trainings that are watched no settings
    are known but some, which are compared by the words for them.
    """
    if one.watched or other.watched:
        both = zip(_known(one), _known(other), strict=True)
        return [(name, here, there) for (name, here), (_, there) in both if here != there]
    rows = [
        (SETTINGS[name].label, _written(name, here), _written(name, there))
        for name, here, there in differences(one.config, other.config)
        if name != "pace"  # which changes nothing but when things happen
    ]
    turned = [_turned(snapshot) for snapshot in (one, other)]
    if turned[0] != turned[1]:
        rows.append(("turned", turned[0] or NOTHING, turned[1] or NOTHING))
    return rows


def _known(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Return what is known of a training, and the same of a run of ours."""
    config, knobs = snapshot.config, snapshot.knobs
    ours = Watched(
        script="bntui",
        model="thread",
        convention="keras",
        momentum=knobs.momentum if config.has_statistics else math.nan,
        batch_size=knobs.batch_size,
        optimizer=config.optimizer,
        learning_rate=knobs.learning_rate,
    )
    return described(snapshot.watched or ours)


def _written(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(change_words, value)) or NOTHING
    return SETTINGS[name].show(value) or NOTHING


def _turned(snapshot: Snapshot) -> str:
    """Return the live changes as `--at` writes them."""
    return ", ".join(f"{mark.update}:{mark.change}" for mark in snapshot.marks if mark.change)
