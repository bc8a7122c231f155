"""The SQLite file: where it is, what is in it, and how an older one becomes a newer one.

Points of a series lie in chunks, a row each, as packed little-endian arrays: `updates` uint32, `vals`
float64. A listing reads the table `runs` alone.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bntui.engine.config import ConfigError
from bntui.places import HOMELESS, is_nowhere, make_folder
from bntui.store.checksum import CHECKED, checksum, sealing

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE runs (
            id TEXT PRIMARY KEY,
            state TEXT NOT NULL,
            started TEXT NOT NULL,
            ended TEXT NOT NULL,
            config TEXT NOT NULL,
            knobs TEXT NOT NULL,
            facts TEXT NOT NULL,
            versions TEXT NOT NULL,
            parent TEXT,
            branched INTEGER,
            message TEXT NOT NULL DEFAULT '',
            updates INTEGER NOT NULL DEFAULT 0,
            epoch INTEGER NOT NULL DEFAULT 0,
            images INTEGER NOT NULL DEFAULT 0,
            seconds REAL NOT NULL DEFAULT 0,
            loss REAL,
            acc REAL,
            val_acc REAL,
            val_acc_fresh REAL,
            checkpoint INTEGER,
            note TEXT NOT NULL DEFAULT '',
            pinned INTEGER NOT NULL DEFAULT 0,
            deleted TEXT
        )""",
        """CREATE TABLE points (
            run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
            series TEXT NOT NULL,
            chunk INTEGER NOT NULL,
            last INTEGER NOT NULL,
            updates BLOB NOT NULL,
            vals BLOB NOT NULL,
            PRIMARY KEY (run, series, chunk)
        )""",
        """CREATE TABLE marks (
            run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
            number INTEGER NOT NULL,
            at INTEGER NOT NULL,
            label TEXT NOT NULL,
            change TEXT NOT NULL,
            PRIMARY KEY (run, number)
        )""",
        """CREATE TABLE verdicts (
            run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
            at INTEGER NOT NULL,
            cause TEXT NOT NULL,
            words TEXT NOT NULL,
            PRIMARY KEY (run, at, cause)
        )""",
        """CREATE TABLE reports (
            run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
            at INTEGER NOT NULL,
            twin TEXT NOT NULL,
            figures TEXT NOT NULL,
            PRIMARY KEY (run, at, twin)
        )""",
        """CREATE TABLE checkpoints (
            run TEXT PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
            at INTEGER NOT NULL,
            label TEXT NOT NULL,
            config TEXT NOT NULL,
            state BLOB NOT NULL
        )""",
        """CREATE TABLE weights (
            run TEXT PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
            at INTEGER NOT NULL,
            data BLOB NOT NULL
        )""",
    ),
    (
        *(f"ALTER TABLE {table} ADD COLUMN checksum INTEGER" for table in CHECKED),
        *(sealing(table) for table in CHECKED),
    ),
)
"""What makes each format out of the one before; the file's `user_version` counts those done."""


class StoreError(ConfigError):
    """The store can't do what was asked; the message is one sentence fit for the screen."""


def connect(path: Path, *, patience: float) -> sqlite3.Connection:
    """Open the store, made or brought up to date where needed.

    `patience` is how many seconds to wait for another process that writes. The connection may go
    from thread to thread, one at a time. Raises sqlite3.Error, OSError, and StoreError for a newer
    format.
    """
    make_folder(path.parent)
    connection = sqlite3.connect(
        path, timeout=patience, isolation_level=None, check_same_thread=False
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.text_factory = lenient
        connection.create_function("checksum", -1, checksum, deterministic=True)
        connection.execute("PRAGMA journal_mode = WAL")
        # With WAL a commit then waits for no disk: what a killed program has committed is kept, and
        # a crash of the whole machine costs the last commits, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def lenient(text: bytes) -> str:
    """Return text of the file, damaged or not: its checksum tells."""
    return text.decode("utf-8", "surrogateescape")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if version(connection) == len(MIGRATIONS):
        return
    with transaction(connection):
        found = version(connection)  # again: another process may have been faster
        if found > len(MIGRATIONS):
            raise StoreError(
                f"{path} was written by a newer bntui (format {found}, this one knows "
                f"{len(MIGRATIONS)}): update bntui, or name another file with BNTUI_STORE."
            )
        for migration in MIGRATIONS[found:]:
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def version(connection: sqlite3.Connection) -> int:
    """Return the number of the store's format."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all of the block or nothing. Other writers wait, readers do not."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has already undone it
            connection.execute("ROLLBACK")
        raise


def sentence(path: Path, error: Exception) -> str:
    """Say why the store can't be used."""
    if isinstance(error, ConfigError):
        return str(error)
    if is_nowhere(path):
        return f"no run is kept, since {HOMELESS}: name a file with BNTUI_STORE."
    reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return f"the store {path} can't be used: {reason}; name another file with BNTUI_STORE."
