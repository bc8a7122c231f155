"""The store's file as a run under way uses it: open, held, and followed when its name comes to mean another.

Whoever removes the file, or its folder, or puts another in its place, leaves an open connection to it,
from which the run can be brought, whole, into the file that has the name then.
"""

import sqlite3
from pathlib import Path
from socket import socket

from bntui.store.liveness import clear, hold, let_go, live_path, still_held, take_mark
from bntui.store.opening import BESIDE, log_of, real
from bntui.store.repair import identity
from bntui.store.schema import connect

Identity = tuple[int, int] | None


class RunsFile:
    """The file that keeps one run. Every method but `close` may raise sqlite3.Error, OSError, StoreError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection: sqlite3.Connection | None = None
        self.left: sqlite3.Connection | None = None
        """To the file that no longer has the name and still has the run, until `arrive`."""
        self._file: Identity = None
        self._log: Identity = None
        """Of the connection, the file and its write-ahead log."""
        self._left_file: Identity = None
        self._left_log: Identity = None
        self._lock: tuple[Path, int] | None = None
        self._mark: socket | None = None

    def open(self, run: str, patience: float) -> sqlite3.Connection:
        """Return the connection to the file that has the name now, in which `run` is held."""
        self._follow()
        if self.connection is None:
            self._remove_log_of_left()
            self.connection = connect(self.path, patience=patience)
            self._file, self._log = self._named(), self._log_named()
        self.hold(run)
        return self.connection

    def hold(self, run: str) -> bool:
        """Have others see that the run is under way; return False if another has it."""
        if self._mark is None and self.path.exists():
            try:
                self._mark = take_mark(self.path, run)
            except BlockingIOError:
                return False
        if self._lock is not None and not still_held(*self._lock):  # somebody removed its file
            let_go(*self._lock)
            self._lock = None
        if self._lock is None:
            path = live_path(self.path, run)
            descriptor = hold(path)
            if descriptor is None:
                return False
            self._lock = path, descriptor
            clear(self.path)
        return True

    def disconnect(self) -> None:
        """Close the connection: what failed may succeed with another."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def arrive(self) -> None:
        """Give up the file that was left: the run is in the one that has the name."""
        if self.left is not None:
            self.left.close()
            self.left = None

    def close(self) -> None:
        """Close all, and let go of the run."""
        self.disconnect()
        self.arrive()
        self._let_go()

    def _follow(self) -> None:
        """Give up the connection to a file that no longer has the name."""
        named = self._named()
        if self.left is not None and named == self._left_file:  # it was out of reach for a while
            self.disconnect()
            self.connection, self.left = self.left, None
            self._file, self._log = self._left_file, self._left_log
        if self.connection is None:
            return
        if named != self._file:
            if self.left is None:
                self.left, self.connection = self.connection, None
                self._left_file, self._left_log = self._file, self._log
            self.disconnect()
            self._let_go()
        elif self._log_named() != self._log:
            self.disconnect()  # which puts what is in a log that was removed into the file

    def _named(self) -> Identity:
        try:
            return identity(self.path)
        except OSError:
            return None

    def _log_named(self) -> Identity:
        try:
            return identity(log_of(real(self.path)))
        except OSError:
            return None

    def _remove_log_of_left(self) -> None:
        """Remove the log that is still in its place: it would be read as the other file's."""
        if self.left is not None and self._left_log and self._log_named() == self._left_log:
            path = real(self.path)
            for part in BESIDE:
                path.with_name(path.name + part).unlink(missing_ok=True)

    def _let_go(self) -> None:
        if self._mark is not None:
            self._mark.close()
            self._mark = None
        if self._lock is not None:
            let_go(*self._lock)
            self._lock = None
