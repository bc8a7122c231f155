"""The changes that `--at` plans for a run."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import takewhile
from typing import Any

from bntui.core.config import Change, Knobs

RECALIBRATE = "recalibrate"


class Script:
    """Planned changes in the order of their updates, and how many of them were made."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self._changes = sorted(changes, key=lambda change: change.update)
        self.followed = 0
        """Changes that were made."""

    def due(self, update: int) -> list[Change]:
        """Return the changes to make before the update after `update`, those not made yet."""
        return list(
            takewhile(lambda change: change.update <= update, self._changes[self.followed :])
        )


def turned(knobs: Knobs, changes: Iterable[Change]) -> Knobs:
    """Return `knobs` with the changes made; a recalibration changes none."""
    values: dict[str, Any] = {
        change.setting: change.value for change in changes if change.setting != RECALIBRATE
    }
    return replace(knobs, **values)


def recalibrates(changes: Iterable[Change]) -> bool:
    """Tell whether one of the changes is a recalibration."""
    return any(change.setting == RECALIBRATE for change in changes)
