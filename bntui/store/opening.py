"""Opening the SQLite file, on whatever file system it lies and whether or not it may be written to.

SQLite's write-ahead log needs shared memory and record locks, and lies beside the name of the file:
where a file system lacks one of them, as network ones do, or the file has several names, there is a
rollback journal instead, and without record locks files that stand for them.
"""

import errno
import fcntl
import mmap
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile

from bntui.machine.places import make_file, make_folder

BESIDE = ("-shm", "-wal", "-journal")
"""What SQLite keeps beside a store that is in use."""
STALE_SECONDS = 120.0
"""A file that stands for a lock, and is older, is one that a killed program has left."""


def real(path: Path) -> Path:
    """Return the store's one true name: locks and logs lie beside it. Raises OSError."""
    return Path(os.path.realpath(path))


def log_of(path: Path) -> Path:
    """Return the name of the write-ahead log of a store with this true name."""
    return path.with_name(f"{path.name}-wal")


def open_to_write(path: Path, patience: float) -> sqlite3.Connection:
    """Open the file with this true name, made where there is none. Raises sqlite3.Error, OSError."""
    make_folder(path.parent)
    make_file(path)
    memory, locks = _abilities(path.parent)
    if not locks:
        _remove_stale_lock(path)
    # Between two names of one file, only what is in the file itself is seen under both.
    wal = memory and locks and path.stat().st_nlink == 1
    connection = _connected(path, "mode=rw" if locks else "mode=rw&vfs=unix-dotfile", patience)
    try:
        if not wal:
            # Else the log of one that was written elsewhere can't be read, and not be given up.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA locking_mode = NORMAL")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def use_log(connection: sqlite3.Connection, path: Path) -> None:
    """Have a store that was found to be ours write ahead, where that is possible."""
    if all(_abilities(path.parent)) and path.stat().st_nlink == 1:
        connection.execute("PRAGMA journal_mode = WAL")


def open_to_read(path: Path, patience: float, *, untouched: bool = False) -> sqlite3.Connection:
    """Open a file that may only be read, or is to be left untouched. Raises sqlite3.Error.

    Reading would make files beside it, where that is allowed.
    """
    without_locks, of_nobody = "mode=ro&vfs=unix-none", "mode=ro&immutable=1"
    ways = ["mode=ro", without_locks]
    if not log_of(path).exists():  # which would be left out
        ways = [of_nobody] if untouched else [*ways, of_nobody]
    elif untouched and not path.with_name(f"{path.name}-shm").exists():
        ways = [without_locks]
    for way in ways:
        connection = _connected(path, way, patience)
        try:
            if way == without_locks:  # a log without the index that belongs to it
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            if way == ways[-1]:
                raise
        else:
            return connection
    raise AssertionError


def may_only_be_read(error: Exception) -> bool:
    """Tell whether opening to write failed because of who may write."""
    if isinstance(error, OSError):
        return isinstance(error, PermissionError) or error.errno == errno.EROFS
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}


def _connected(path: Path, how: str, patience: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?{how}",
        uri=True,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
    )


@lru_cache
def _abilities(folder: Path) -> tuple[bool, bool]:
    """Tell whether files in a folder can be shared as memory, and whether they can be locked."""
    try:
        # Not the store: closing it here would let go of the locks that SQLite has on it.
        with TemporaryFile(dir=folder) as file:
            file.truncate(mmap.PAGESIZE)
            locks = _works(lambda: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB))
            memory = _works(lambda: mmap.mmap(file.fileno(), mmap.PAGESIZE).close())
            return memory, locks
    except OSError:  # no room, or not to be written to: what follows tells
        return True, True


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _remove_stale_lock(path: Path) -> None:
    lock = path.with_name(f"{path.name}.lock")
    with suppress(OSError):
        if time.time() - lock.stat().st_mtime > STALE_SECONDS:
            lock.rmdir()
