"""A row that somebody else has written: not what bntui writes, under a right checksum."""

import sqlite3
from contextlib import closing

from bntui.machine.places import store_path
from bntui.store.checksum import CHECKED, checksum


def change_row(table: str, column: str, value: object, run: str = "") -> None:
    """Write a value into a row of a run, or of the only one, and make the checksum right."""
    with closing(sqlite3.connect(store_path(), isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        key = "id" if table == "runs" else "run"
        (row, *_) = connection.execute(
            f"SELECT rowid AS place, * FROM {table} WHERE {key} = ? OR ? = ''", (run, run)
        ).fetchall()
        values = {**dict(row), column: value}
        connection.execute(
            f"UPDATE {table} SET {column} = ?, checksum = ? WHERE rowid = ?",
            (value, checksum(*(values[name] for name in CHECKED[table])), row["place"]),
        )
