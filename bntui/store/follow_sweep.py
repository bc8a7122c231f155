"""A sweep of the store, live: what any process runs of it shows here."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from bntui.core.sweep import Design, SweepView, why_no_name
from bntui.store.connection import Connection
from bntui.store.database import Store
from bntui.store.follow import ALIVE_SECONDS, POLL_SECONDS, RETRY_SECONDS
from bntui.store.following import PATIENCE
from bntui.store.liveness import held_runs, is_under_way
from bntui.store.opening import log_of, real
from bntui.store.repair import identity
from bntui.store.schema import StoreError, connect_to_read, sentence
from bntui.store.sweep_cells import SweepCells
from bntui.store.sweeps import stored_sweep

SLICE_SECONDS = 0.2
"""After so long, what has been read of a large sweep is shown before the rest is read."""


def read_sweep(path: Path, name: str) -> SweepView:
    """Return a sweep as the store has it now. Raises StoreError if there is none, or it can't be read."""
    with Store(path) as store:
        design = store.sweep(name).design
    return read_cells(path, name, design)


def read_cells(path: Path, name: str, design: Design) -> SweepView:
    """Return how the cells of a sweep stand that need not be in the store. Raises StoreError."""
    cells = SweepCells(design)
    file = Connection(path)
    try:
        with file.errors_as_sentences():
            cells.read(file.connection)
            held = under_way(path, cells)
    finally:
        file.close()
    return SweepView(name, design, cells.states(held), cells.remark)


def means_sweep(store: Store, name: str) -> bool:
    """Tell whether a name is that of a sweep, and not what a run is called.

    Raises StoreError for a name that only a sweep can have, where there is none of that name.
    """
    if why_no_name(name):
        return False
    if not store.has_sweep(name):
        raise StoreError(
            f"run or sweep {name!r} is not in the store: `bntui runs` and `bntui sweeps` list what is."
        )
    return True


def under_way(path: Path, cells: SweepCells) -> set[str]:
    """Return the runs that a process has. Raises OSError."""
    held = held_runs(path)
    # By a hard link of the store they are held at another place.
    return held | {
        run for run in cells.said_to_be_under_way() if run not in held and is_under_way(path, run)
    }


class FollowedSweep:
    """A sweep that is looked at: `core.sweep.SweepSource`.

    It reads on a thread of its own, from `start` on, and writes nothing.
    """

    def __init__(self, path: Path, name: str) -> None:
        """Follow the sweep of this name. Raises StoreError if there is none, or it can't be read."""
        with Store(path) as store:
            design = store.sweep(name).design
        self._path = path
        self._name = name
        self._cells = SweepCells(design)
        self._held: set[str] = set()
        self.view = SweepView(name, design, self._cells.states(self._held))
        self._connection: sqlite3.Connection | None = None
        self._files = _files(path)
        self._version = -1
        """SQLite's count of what others have committed, as of the last reading of all."""
        self._looked = -ALIVE_SECONDS
        self._problem = ""
        self._stopping = Event()
        self._thread = Thread(target=self._follow, name="bntui-follow", daemon=True)

    def start(self) -> None:
        """Begin to read, on a thread of its own."""
        try:
            self._thread.start()
        except RuntimeError:
            message = "no thread can be started: end other programs, or raise `ulimit -u`."
            self.view = replace(self.view, message=message)

    def leave(self, timeout: float) -> bool:
        """Read once more, and end; return whether the thread has ended. What runs goes on."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    # Everything below runs on the thread that follows.

    def _follow(self) -> None:
        leaving = False
        while not leaving:
            leaving = self._stopping.is_set()  # what was written before is read once more
            wait = POLL_SECONDS
            try:
                if not self._read():
                    wait = 0.0
                self._problem = ""
            except (sqlite3.Error, OSError, StoreError, UnicodeDecodeError) as error:
                self._close()
                why = str(error) if isinstance(error, StoreError) else sentence(self._path, error)
                self._problem = (
                    f"this sweep can't be read, which is tried again every second: {why}"
                )
                wait = RETRY_SECONDS
            self._publish()
            self._stopping.wait(wait)
        self._close()

    def _read(self) -> bool:
        """Read what is new; return whether that was all of it."""
        connection = self._open()
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        whole = True
        if version != self._version:
            connection.execute("BEGIN")  # all is to be of one moment
            try:
                whole = self._cells.read(connection, SLICE_SECONDS)
            finally:
                connection.execute("ROLLBACK")
            if whole:
                self._version = version
        now = monotonic()
        if now >= self._looked + ALIVE_SECONDS:
            self._held = under_way(self._path, self._cells)
            self._looked = now
        return whole

    def _open(self) -> sqlite3.Connection:
        """Return the connection to the file that has the name now."""
        files = _files(self._path)
        if self._connection is not None and files != self._files:
            self._close()
        if self._connection is None:
            if files[0] is None:
                raise StoreError(f"the store {self._path} is not there.")
            connection = connect_to_read(self._path, patience=PATIENCE)
            self._connection = connection
            # SQLite makes a log that is not there.
            self._files = files[0], _files(self._path)[1]
            design = stored_sweep(connection, self._path, self._name).design
            if design != self.view.design:  # the file is another
                self._cells = SweepCells(design)
                self.view = SweepView(self._name, design, self._cells.states(set()))
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._version = -1

    def _publish(self) -> None:
        """Show what was read, and what there is to say of it; the same object while both are the same."""
        states, message = self._cells.states(self._held), self._problem or self._cells.remark
        if states is not self.view.cells or message != self.view.message:
            self.view = replace(self.view, cells=states, message=message)


def _files(path: Path) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Return what tells the store and its write-ahead log from others."""
    return identity(path), identity(log_of(real(path)))
