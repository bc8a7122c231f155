"""In what two runs differ, in words."""

from bntui.core.settings import SETTINGS, change_words
from bntui.core.snapshot import Snapshot
from bntui.store.listing import differences

NOTHING = "–"


def differing(one: Snapshot, other: Snapshot) -> list[tuple[str, str, str]]:
    """Return what two runs differ in: the settings they began with, then what was turned meanwhile.

    Each is its name and the two values, as the knobs write them.
    """
    rows = [
        (SETTINGS[name].label, _written(name, here), _written(name, there))
        for name, here, there in differences(one.config, other.config)
        if name != "pace"  # which changes nothing but when things happen
    ]
    turned = [_turned(snapshot) for snapshot in (one, other)]
    if turned[0] != turned[1]:
        rows.append(("turned", turned[0] or NOTHING, turned[1] or NOTHING))
    return rows


def _written(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(change_words, value)) or NOTHING
    return SETTINGS[name].show(value) or NOTHING


def _turned(snapshot: Snapshot) -> str:
    """Return the live changes as `--at` writes them."""
    return ", ".join(f"{mark.update}:{mark.change}" for mark in snapshot.marks if mark.change)
