"""One connection to the store's file, which is mended where it turns out to be damaged."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bntui.store.checksum import check_row
from bntui.store.liveness import clear
from bntui.store.repair import MendedElsewhereError, identity, mend, search, shows_damage
from bntui.store.schema import StoreError, connect, sentence, transaction
from bntui.store.writing import change_run

PATIENCE = 5.0
"""Seconds to wait for another process that writes."""


class Connection:
    """The open file. What can't be done with it raises StoreError.

    A file that turns out to be damaged is renamed, and its whole rows go into a new one (see `repair`). That
    raises a StoreError too, MendedError: the same request may succeed then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        try:
            self._connect()
        except MendedElsewhereError:  # and nothing has been read of it before
            self._connect()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> None:
        """Open the file. Raises StoreError, and MendedElsewhereError where another just mended it."""
        with self.errors_as_sentences():
            # Before it is opened: should another mend it in between, it is only opened once more.
            self._file = identity(self.path)
            self._connection = connect(self.path, patience=PATIENCE, reading=True)
            self._file = self._file or identity(self.path)
            clear(self.path)
            search(self._connection, self.path)

    @contextmanager
    def errors_as_sentences(self) -> Iterator[None]:
        """Raise what goes wrong with the file as a StoreError; where it is damaged, mend it."""
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            if shows_damage(error, self.path):
                self.close()
                raise self._mended() from error
            raise StoreError(sentence(self.path, error)) from error

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection. Raises sqlite3.ProgrammingError once it is closed."""
        if self._connection is None:
            raise sqlite3.ProgrammingError("it was closed")
        return self._connection

    def _mended(self) -> StoreError:
        try:
            return mend(self.path, self._file)
        except (sqlite3.Error, OSError) as error:
            return StoreError(f"it is damaged, and {sentence(self.path, error)}")

    def rows(self, table: str, rest: str, *values: object) -> list[sqlite3.Row]:
        """Return rows of a table whose checksums are right. Whoever wrote them may not have been bntui."""
        with self.errors_as_sentences():
            found: list[sqlite3.Row] = self.connection.execute(
                f"SELECT * FROM {table} {rest}", values
            ).fetchall()
            for row in found:
                check_row(table, row)
        return found

    def edit(self, run: str, change: str, *values: object) -> None:
        """Change columns of the row of a run: `change` is what follows SET."""
        with self.errors_as_sentences(), transaction(self.connection):
            change_run(self.connection, run, change, *values)
