"""The measurements of a run that is being kept: which of them are new to the store."""

import sqlite3

from bntui.core.snapshot import TWIN, Snapshot
from bntui.store.details import details, packed
from bntui.store.writing import put

DETAILS_SECONDS = 0.9
"""Seconds between two times that measurements are written: one of a large network is of megabytes."""
_SMALL = ("progress", TWIN + "progress")


class RecordedDetails:
    """Those of one run. Each is written again only when the snapshot has another object."""

    def __init__(self) -> None:
        self._kept: dict[str, object] = {}
        self._written: dict[str, object] = {}
        """In a transaction that has not been committed yet."""
        self._due = 0.0

    def write(
        self,
        connection: sqlite3.Connection,
        run: str,
        snapshot: Snapshot,
        now: float,
        *,
        all_of_it: bool,
    ) -> None:
        """Write what is new of a run, within a transaction: at most every `DETAILS_SECONDS`, unless `all_of_it`.

        Raises sqlite3.Error.
        """
        self._written = {}
        due = all_of_it or now >= self._due
        for kind, at, value in details(snapshot):
            before = self._kept.get(kind)
            if value is before or (kind in _SMALL and value == before):
                continue
            if due or kind in _SMALL:
                put(connection, "details", run, kind, at, *packed(kind, value))
                self._written[kind] = value
        if due:
            self._due = now + DETAILS_SECONDS

    def committed(self) -> None:
        """Note that what was written is safe."""
        self._kept |= self._written
        self._written = {}

    def forget(self) -> None:
        """Have all written again: the file has none of it."""
        self._kept, self._written = {}, {}
