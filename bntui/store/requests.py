"""What another process asks of a run under way, which its recorder takes when it next looks."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bntui.core.run import Command
from bntui.store.checksum import is_whole
from bntui.store.connection import PATIENCE
from bntui.store.liveness import is_under_way
from bntui.store.schema import StoreError, connect, sentence, transaction
from bntui.store.writing import now, put

MOST = 100
"""Requests that may wait for one run."""


def ask(path: Path, run: str, command: Command) -> None:
    """Leave a request for a run that is under way in another process; one that waits already is enough.

    Raises StoreError where nobody would take it.
    """
    try:
        if not path.exists() or not is_under_way(path, run):
            raise StoreError(f"run {run} is not under way: nobody can be asked.")
        with closing(connect(path, patience=PATIENCE)) as connection, transaction(connection):
            _leave(connection, run, command)
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        raise StoreError(f"run {run} can't be asked: {sentence(path, error)}") from error


def take(connection: sqlite3.Connection, run: str) -> tuple[Command, ...]:
    """Return and remove what was asked of a run, in order; what is no request is removed. Raises sqlite3.Error."""
    if (
        connection.execute("SELECT 1 FROM requests WHERE run = ? LIMIT 1", (run,)).fetchone()
        is None
    ):
        return ()
    with transaction(connection):
        rows = connection.execute(
            "SELECT * FROM requests WHERE run = ? ORDER BY number LIMIT ?", (run, MOST)
        ).fetchall()
        forget(connection, run)
    sound = [row for row in rows if row["command"] in Command.__members__]
    return tuple(Command[row["command"]] for row in sound if is_whole("requests", row))


def forget(connection: sqlite3.Connection, run: str) -> None:
    """Remove what was asked of a run and not taken. Raises sqlite3.Error."""
    connection.execute("DELETE FROM requests WHERE run = ?", (run,))


def _leave(connection: sqlite3.Connection, run: str, command: Command) -> None:
    waiting = connection.execute(
        "SELECT number, command FROM requests WHERE run = ? ORDER BY number", (run,)
    ).fetchall()
    if any(row["command"] == command.name for row in waiting):
        return
    if len(waiting) >= MOST:
        raise StoreError(
            f"run {run} has {len(waiting)} requests waiting, and takes none: try later."
        )
    number = waiting[-1]["number"] + 1 if waiting else 0
    put(connection, "requests", run, number, command.name, now())
