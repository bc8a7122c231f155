"""The SQLite file: where it is, what is in it, and how an older one becomes a newer one.

Points of a series lie in chunks, a row each, as packed little-endian arrays: `updates` uint32, `vals`
float64. A listing reads the table `runs` alone. What is larger than SQLite's limit for a row lies in
`pieces`, but for the first piece: of a checkpoint or of weights. `details` has the last of each
measurement that screens show and series do not have (see `details`); `requests` what others ask of a run
under way (see `requests`). `sweeps` has what each sweep is to run (see `sweeps`), whose runs are found by
their ids.
"""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from itertools import chain
from pathlib import Path

from bntui.core.text import ConfigError
from bntui.machine.places import HOMELESS, is_nowhere
from bntui.store.checksum import DamagedError, checksum, checksums_statement
from bntui.store.opening import may_only_be_read, open_to_read, open_to_write, real, use_log

FIRST = ("runs", "points", "marks", "verdicts", "reports", "checkpoints", "weights")
"""The tables of the first format."""
ADDED = {3: ("pieces",), 4: ("details", "requests"), 5: ("sweeps",)}
"""The tables that came with later formats."""
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
        *(f"ALTER TABLE {table} ADD COLUMN checksum INTEGER" for table in FIRST),
        *(checksums_statement(table) for table in FIRST),
    ),
    (
        """CREATE TABLE pieces (
            run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
            of TEXT NOT NULL,
            number INTEGER NOT NULL,
            count INTEGER NOT NULL,
            data BLOB NOT NULL,
            checksum INTEGER,
            PRIMARY KEY (run, of, number)
        )""",
    ),
    (
        # In few characters: all definitions have to fit into the file's first page, where they are still
        # read of a file that was cut short.
        "CREATE TABLE details (run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, kind TEXT NOT NULL,"
        " at INTEGER NOT NULL, checksum INTEGER, words TEXT NOT NULL, data BLOB NOT NULL,"
        " PRIMARY KEY (run, kind))",
        "CREATE TABLE requests (run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,"
        " number INTEGER NOT NULL, command TEXT NOT NULL, at TEXT NOT NULL, checksum INTEGER,"
        " PRIMARY KEY (run, number))",
    ),
    ("CREATE TABLE sweeps (name TEXT PRIMARY KEY, begun TEXT, design TEXT, checksum INTEGER)",),
)
"""What makes each format out of the one before; the file's `user_version` counts those done."""


class StoreError(ConfigError):
    """The store can't do what was asked; the message is one sentence fit for the screen."""


class NameTakenError(StoreError):
    """A sweep with other runs has the name."""


def connect(path: Path, *, patience: float, reading: bool = False) -> sqlite3.Connection:
    """Open the store, made or brought up to date where needed.

    `patience` is how many seconds to wait for another process that writes. A store that may only be
    read is opened for that where `reading` is enough. The connection may go from thread to thread,
    one at a time. Raises sqlite3.Error, OSError, and StoreError for what is no store of ours.
    """
    path = real(path)
    refuse_other_things(path)
    try:
        return _to_write(path, patience)
    except (sqlite3.OperationalError, OSError) as error:
        if not (reading and may_only_be_read(error) and path.exists()):
            raise
    return connect_to_read(path, patience=patience)


def refuse_other_things(path: Path) -> None:
    """Raise StoreError where there is a folder, a pipe or a device: some would be waited for."""
    with suppress(FileNotFoundError, NotADirectoryError):
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            raise StoreError(
                f"the store {path} can't be used: it is {what}; name another file with BNTUI_STORE."
            )


def _to_write(path: Path, patience: float) -> sqlite3.Connection:
    connection = open_to_write(path, patience)
    try:
        _prepare(connection)
        format_of(connection, path)
        use_log(connection, path)
        # With WAL a commit then waits for no disk: what a killed program has committed is kept, and
        # a crash of the whole machine costs the last commits, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path, *, patience: float) -> sqlite3.Connection:
    """Open the store only to read it; one of an older format as a copy in memory, brought up to date.

    Raises what `connect` does.
    """
    path = real(path)
    refuse_other_things(path)
    connection = open_to_read(path, patience)
    try:
        _prepare(connection)
        if format_of(connection, path) < len(MIGRATIONS):
            new = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            with closing(connection):
                connection.backup(new)
            connection = new
            _prepare(connection)
            _migrate(connection, path)
        connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.text_factory = lenient
    connection.create_function("checksum", -1, checksum, deterministic=True)


def lenient(text: bytes) -> str:
    """Return text of the file, damaged or not: its checksum tells."""
    return text.decode("utf-8", "surrogateescape")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if version(connection) == len(MIGRATIONS):
        return
    with transaction(connection):
        found = _format(connection, path)  # again: another process may have been faster
        for number, migration in enumerate(MIGRATIONS[found:], start=found + 1):
            if number in ADDED:
                _shorten_definitions(connection)
            for statement in migration:
                connection.execute(_short(statement))
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _shorten_definitions(connection: sqlite3.Connection) -> None:
    """Take out the spaces that earlier versions put into the tables' definitions: more fit into a page.

    Without effect where SQLite was built to refuse that.
    """
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA writable_schema = ON")
        for name, sql in connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%  %'"
        ).fetchall():
            connection.execute(
                "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?",
                (_short(sql), name),
            )
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA writable_schema = RESET")  # and read them anew


def _short(statement: str) -> str:
    """Return a statement without what is not needed in it. No text in one has spaces."""
    return " ".join(statement.split())


def format_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return the number of the store's format, proven to have the tables of that format alone.

    A view or a trigger would have SQLite do anything, without end, when a table of its name is asked
    for. Raises StoreError for a newer format and for other databases, and DamagedError.
    """
    connection.execute("BEGIN")  # both are to be of the same moment
    try:
        return _format(connection, path)
    finally:
        connection.execute("ROLLBACK")


def _format(connection: sqlite3.Connection, path: Path) -> int:
    found = version(connection)
    if found > len(MIGRATIONS):
        raise StoreError(
            f"{path} was written by a newer bntui (format {found}, this one knows "
            f"{len(MIGRATIONS)}): update bntui, or name another file with BNTUI_STORE."
        )
    layout = _layout(connection)
    if found >= 0 and layout == _layout_of(MIGRATIONS[:found]):
        return found
    ours = {(kind, name) for kind, name, _ in _layout_of(MIGRATIONS)}
    for kind, name, _ in sorted(layout):
        if (kind, name) not in ours:
            raise StoreError(
                f"{path} is no store of bntui's, it has a {kind} {name!r}: name another file with "
                "BNTUI_STORE."
            )
    raise DamagedError("the tables are not those of its format")


@lru_cache
def _layout_of(migrations: tuple[tuple[str, ...], ...]) -> frozenset[tuple[str, str, str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        _prepare(connection)
        for statement in chain.from_iterable(migrations):
            connection.execute(statement)
        return _layout(connection)


def _layout(connection: sqlite3.Connection) -> frozenset[tuple[str, str, str]]:
    """Return kind, name and definition of all that a database has but SQLite's own figures."""
    rows = connection.execute("SELECT type, name, ifnull(sql, '') FROM sqlite_schema").fetchall()
    return frozenset(
        (kind, name, _short(sql))
        for kind, name, sql in rows
        if not sql.startswith("CREATE TABLE sqlite_stat")
    )


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
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY:
        reason = "it may only be read"
    return f"the store {path} can't be used: {reason}; name another file with BNTUI_STORE."
