"""The marks of a run that is being kept: which of them are new to the store."""

import sqlite3
from collections.abc import Sequence

from bntui.core.snapshot import Mark
from bntui.store.writing import put_marks


class RecordedMarks:
    """Those of one run, of which snapshots have the last ones."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._seen: tuple[Mark, ...] = ()
        """Those of the last snapshot."""
        self._new: list[Mark] = []
        self._kept = 0

    def take(self, marks: tuple[Mark, ...]) -> bool:
        """Take the marks of a snapshot; return whether there are new ones."""
        happened = _later(self._seen, marks)
        self._new += happened
        self._seen = marks
        return bool(happened)

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what is new. Raises sqlite3.Error."""
        put_marks(connection, self._run, self._new, self._kept)

    def committed(self) -> None:
        """Take what was written for kept."""
        self._kept += len(self._new)
        self._new = []

    def begin_anew(self, marks: Sequence[Mark]) -> None:
        """Have all these written: none is kept any more."""
        self._kept, self._new = 0, list(marks)

    def count(self, connection: sqlite3.Connection) -> None:
        """Take for kept what the store has of the run. Raises sqlite3.Error."""
        marks = connection.execute(
            "SELECT at, label, change, number FROM marks WHERE run = ? ORDER BY number",
            (self._run,),
        ).fetchall()
        self._kept = marks[-1]["number"] + 1 if marks else 0
        self._new = _later([Mark(*mark[:3]) for mark in marks], self._new)


def _later(before: Sequence[Mark], marks: Sequence[Mark]) -> list[Mark]:
    """Return the marks that came after those `before`; of each, the oldest may have been dropped."""
    for new in range(len(marks) + 1):
        old = list(marks[: len(marks) - new])
        if len(old) <= len(before) and list(before[len(before) - len(old) :]) == old:
            return list(marks[len(marks) - new :])
    return list(marks)
