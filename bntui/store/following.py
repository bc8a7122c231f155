"""Reads a stored run again and again, each time only what is new: without a thread, and only to read."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bntui.core.border import LONGEST_JSON, BorderError
from bntui.core.snapshot import EpochReport, Mark, Phase, Snapshot
from bntui.store import rows
from bntui.store.checksum import check_row
from bntui.store.details import LARGEST, WATCHED, Detail
from bntui.store.details import read as read_detail
from bntui.store.followed_series import FollowedSeries, RewrittenError
from bntui.store.opening import log_of, real
from bntui.store.repair import identity
from bntui.store.rows import StoredRun
from bntui.store.schema import StoreError, connect_to_read
from bntui.store.stored_snapshot import assembled, hindsight_of, outline

PATIENCE = 1.0
"""Seconds to wait for another process that writes, where readers have to."""
Thing = TypeVar("Thing")
_Identity = tuple[int, int] | None


class Following:
    """What has been read of one run so far."""

    def __init__(self, path: Path, run: str) -> None:
        self._path = path
        self._run = run
        self._connection: sqlite3.Connection | None = None
        self._files: tuple[_Identity, _Identity] = (None, None)
        self._version = -1
        """SQLite's count of what others have committed, as of the last reading."""
        self._forget()

    def read(self) -> Snapshot | None:
        """Return the run as it is kept now, None if nothing has been committed since the last call.

        Raises sqlite3.Error, OSError and StoreError, in one sentence, where it can't be read; the next
        call tries again.
        """
        connection = self._open()
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return None
        connection.execute("BEGIN")  # all is to be of one moment
        try:
            snapshot = self._read(connection)
        finally:
            connection.execute("ROLLBACK")
        self._version = version
        return snapshot

    @property
    def remark(self) -> str:
        """What is left out since it is not as bntui writes it, in one sentence; mostly empty."""
        count = self._series.left_out + len(self._wrong)
        return (
            f"left out, not as bntui writes it: {count} of the rows of run {self._run}."
            if count
            else ""
        )

    def close(self) -> None:
        """Close the file; what was read is forgotten."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._forget()

    def _forget(self) -> None:
        self._series = FollowedSeries(self._run)
        self._begun = False
        self._updates = 0
        self._marks: dict[int, Mark] = {}
        self._reports: dict[tuple[int, str], EpochReport] = {}
        self._details: dict[str, tuple[int, Detail]] = {}
        """Each with its row's checksum."""
        self._wrong: set[tuple[str, object]] = set()
        self._version = -1

    def _open(self) -> sqlite3.Connection:
        """Return the connection to the file that has the name now."""
        files = identity(self._path), identity(log_of(real(self._path)))
        if self._connection is not None and files != self._files:
            self.close()
        if self._connection is None:
            if files[0] is None:
                raise StoreError(f"the store {self._path} is not there.")
            self._connection = connect_to_read(self._path, patience=PATIENCE)
            # SQLite makes a log that is not there.
            self._files = files[0], identity(log_of(real(self._path)))
        return self._connection

    def _read(self, connection: sqlite3.Connection) -> Snapshot:
        """Return the run, read within a transaction."""
        stored = self._stored(connection)
        if stored.updates < self._updates:  # it was resumed
            self._forget()
        try:
            self._read_series(connection)
        except RewrittenError:
            self._forget()
            self._read_series(connection)
        self._updates = stored.updates
        self._read_marks(connection)
        self._read_reports(connection)
        self._read_details(connection)
        details = {kind: detail for kind, (_, detail) in self._details.items()}
        if WATCHED in details:
            stored = replace(stored, watched=details[WATCHED].value)
        snapshot = assembled(
            outline(stored, tuple(self._marks.values())),
            self._reports.values(),
            self._series.views(),
            hindsight_of(self._series.map_points()),
            details,
        )
        return replace(snapshot, followed=True)

    def _stored(self, connection: sqlite3.Connection) -> StoredRun:
        row = connection.execute("SELECT * FROM runs WHERE id = ?", (self._run,)).fetchone()
        if row is None:
            raise StoreError(f"run {self._run} is not in the store {self._path} any more.")
        check_row("runs", row)
        try:
            return rows.run(row)
        except BorderError as error:
            raise StoreError(
                f"run {self._run} in {self._path} is not as this bntui writes them ({error})."
            ) from error

    def _read_series(self, connection: sqlite3.Connection) -> None:
        if self._begun:
            self._series.read_new(connection)
        else:
            self._series.read(connection)
            self._begun = True

    def _read_marks(self, connection: sqlite3.Connection) -> None:
        for row in connection.execute(
            "SELECT * FROM marks WHERE run = ? AND number > ? ORDER BY number",
            (self._run, max(self._marks, default=-1)),
        ).fetchall():
            mark = self._sound("marks", row["number"], row, rows.mark)
            if mark is not None:
                self._marks[row["number"]] = mark

    def _read_reports(self, connection: sqlite3.Connection) -> None:
        newest = max((at for at, _ in self._reports), default=0)
        for row in connection.execute(
            "SELECT * FROM reports WHERE run = ? AND at >= ? ORDER BY at, twin",
            (self._run, newest),
        ).fetchall():
            key = row["at"], row["twin"]
            if key not in self._reports:
                report = self._sound("reports", key, row, rows.report)
                if report is not None:
                    self._reports[key] = report

    def _read_details(self, connection: sqlite3.Connection) -> None:
        """Take the measurements whose rows have changed, and forget those that are gone."""
        heads = connection.execute(
            "SELECT rowid AS place, kind, checksum FROM details WHERE run = ? AND length(data) <= ?"
            " AND length(words) <= ?",
            (self._run, LARGEST, LONGEST_JSON),
        ).fetchall()
        there = {row["kind"] for row in heads}
        self._details = {kind: kept for kind, kept in self._details.items() if kind in there}
        for head in heads:
            kept = self._details.get(head["kind"])
            if kept is not None and kept[0] == head["checksum"]:
                continue
            row = connection.execute(
                "SELECT * FROM details WHERE rowid = ?", (head["place"],)
            ).fetchone()
            detail = self._sound("details", head["kind"], row, read_detail)
            if detail is not None:
                self._details[head["kind"]] = head["checksum"], detail

    def _sound(
        self, table: str, key: object, row: sqlite3.Row, read: Callable[[sqlite3.Row], Thing]
    ) -> Thing | None:
        """Return what a row says; None, which is noted, if it is not as bntui writes it."""
        check_row(table, row)
        try:
            return read(row)
        except BorderError:
            self._wrong.add((table, key))
            return None


def is_over(snapshot: Snapshot) -> bool:
    """Tell whether a run is kept as one that is not under way."""
    return snapshot.phase not in {Phase.LOADING, Phase.RUNNING, Phase.PAUSED}
