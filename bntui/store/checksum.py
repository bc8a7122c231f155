"""Checksums of the store's rows: SQLite itself returns a value with a flipped byte as if it were right."""

import sqlite3
import zlib
from collections.abc import Iterable


class DamagedError(sqlite3.DatabaseError):
    """What is read from the store is not what was written."""


CHECKED = {
    "runs": (
        *("id", "state", "started", "ended", "config", "knobs", "facts", "versions"),
        *("parent", "branched", "message", "updates", "epoch", "images", "seconds"),
        *("loss", "acc", "val_acc", "val_acc_fresh", "checkpoint", "note", "pinned", "deleted"),
    ),
    "points": ("run", "series", "chunk", "last", "updates", "vals"),
    "marks": ("run", "number", "at", "label", "change"),
    "verdicts": ("run", "at", "cause", "words"),
    "reports": ("run", "at", "twin", "figures"),
    "checkpoints": ("run", "at", "label", "config", "state"),
    "weights": ("run", "at", "data"),
    "pieces": ("run", "of", "number", "count", "data"),
    "details": ("run", "kind", "at", "words", "data"),
    "requests": ("run", "number", "command", "at"),
    "sweeps": ("name", "begun", "design"),
}
"""By table, the columns that its checksum covers. A migration that adds a column computes checksums anew."""
OF_RUNS = tuple(table for table in CHECKED if table != "sweeps")
"""The tables whose rows are of one run each, which the first column names."""


def checksum(*values: object) -> int:
    """Return the CRC-32 of a row's values as SQLite keeps them: text, bytes, numbers and NULL."""
    crc = 0
    for value in values:
        if isinstance(value, bytes):
            content = value
        else:
            content = str(value).encode("utf-8", "surrogateescape")
        crc = zlib.crc32(content, zlib.crc32(b"%s%d:" % (_kind(value), len(content)), crc))
    return crc


def checksums_statement(table: str) -> str:
    """Return the statement, less its WHERE, that writes the checksums of a table's rows."""
    return f"UPDATE {table} SET checksum = checksum({', '.join(CHECKED[table])})"


def write_checksums(
    connection: sqlite3.Connection, table: str, where: str = "", *values: object
) -> None:
    """Write the checksums of a table's rows, of those that `where` chooses.

    In Python, unlike `checksums_statement`: text that is not UTF-8 can't be passed to a function of SQLite.
    """
    columns = CHECKED[table]
    chosen = f"SELECT rowid, {', '.join(columns)} FROM {table} {where}"
    for place, *row in connection.execute(chosen, values).fetchall():
        connection.execute(
            f"UPDATE {table} SET checksum = ? WHERE rowid = ?", (checksum(*row), place)
        )


def is_whole(table: str, row: sqlite3.Row) -> bool:
    """Tell whether a row of `table` is as it was written."""
    return bool(checksum(*(row[column] for column in CHECKED[table])) == row["checksum"])


def check_row(table: str, row: sqlite3.Row) -> None:
    """Raise DamagedError for a row that is not as it was written."""
    try:
        whole = is_whole(table, row)
    except IndexError as error:  # of sqlite3.Row, for a name that it has not
        raise DamagedError(f"a column of {table} is damaged") from error
    if not whole:
        raise DamagedError(f"a row of {table} is damaged")


def insertion(table: str, values: Iterable[object]) -> tuple[str, tuple[object, ...]]:
    """Return what comes behind INSERT INTO for a whole row of `table`, and its values."""
    columns, row = CHECKED[table], tuple(values)
    places = ", ".join("?" * (len(columns) + 1))
    return f"{table} ({', '.join(columns)}, checksum) VALUES ({places})", (*row, checksum(*row))


def _kind(value: object) -> bytes:
    if value is None:
        return b"n"
    return b"b" if isinstance(value, bytes) else b"s" if isinstance(value, str) else b"i"
