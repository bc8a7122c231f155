"""The series of a stored run that is followed: only what is new of them is read."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bntui.core.border import BorderError
from bntui.core.series import Series, SeriesView
from bntui.store import rows
from bntui.store.checksum import check_row
from bntui.store.rows import Chunk, Points, joined
from bntui.store.stored_snapshot import HINDSIGHT

_PLACE = "SELECT rowid AS place, * FROM points"


class RewrittenError(Exception):
    """What was read before is no longer so: another process has taken the run back."""


@dataclass(slots=True)
class _Tail:
    """The last chunk of a series, which may still grow in its place."""

    place: int
    chunk: int
    checksum: int
    updates: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


class FollowedSeries:
    """Those of one run, in a file that stays the same."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._tails: dict[str, _Tail] = {}
        self._series: dict[str, Series] = {}
        self._map: dict[str, list[Points]] = {}
        """The pieces of the series that the map of all momenta is made of."""
        self._last = 0
        """The row that was added last, of whatever run."""
        self.left_out = 0
        """Pieces that are not as bntui writes them."""

    def read(self, connection: sqlite3.Connection) -> None:
        """Take all that there is, for the first time. Raises sqlite3.Error."""
        found = connection.execute(
            f"{_PLACE} WHERE run = ? ORDER BY chunk, rowid", (self._run,)
        ).fetchall()
        self._last = _last_row(connection)
        sound: list[tuple[int, int, Chunk]] = []
        for row in found:
            piece = self._chunk(row)
            if piece is not None:
                sound.append((row["place"], row["checksum"], piece))
        points, left_out = joined(piece for _, _, piece in sound)
        self.left_out += left_out
        for place, checksum, piece in sound:
            before = self._tails.get(piece.series)
            if before is None or piece.updates[0] >= before.updates[-1]:
                self._keep_tail(place, checksum, piece)
        for name, whole in points.items():
            if name.startswith(HINDSIGHT):
                self._map[name] = [whole]
            else:
                self._series[name] = Series.of(whole.updates, whole.values)

    def read_new(self, connection: sqlite3.Connection) -> None:
        """Take what was added since. Raises sqlite3.Error, and RewrittenError where something was taken back."""
        for name, tail in self._tails.items():
            self._grow(connection, name, tail)
        last = _last_row(connection)
        if last < self._last:
            raise RewrittenError
        # Not by the index on runs, which would go through all rows of this one.
        for row in connection.execute(
            f"{_PLACE} WHERE +run = ? AND rowid > ? ORDER BY rowid", (self._run, self._last)
        ).fetchall():
            piece = self._chunk(row)
            if piece is not None:
                self._begin_chunk(row["place"], row["checksum"], piece)
        self._last = last

    def views(self) -> dict[str, SeriesView]:
        """Return the series but those of the map; of each the same object until it has grown."""
        return {name: series.view() for name, series in self._series.items()}

    def map_points(self) -> Mapping[str, Points]:
        """Return the series of the map, whole."""
        return dict(self._joined_map())

    def _joined_map(self) -> Iterator[tuple[str, Points]]:
        for name, pieces in self._map.items():
            if len(pieces) > 1:
                updates = np.concatenate([piece.updates for piece in pieces])
                values = np.concatenate([piece.values for piece in pieces])
                pieces[:] = [Points(updates, values)]
            yield name, pieces[0]

    def _grow(self, connection: sqlite3.Connection, name: str, tail: _Tail) -> None:
        head = connection.execute(
            "SELECT run, series, chunk, checksum FROM points WHERE rowid = ?", (tail.place,)
        ).fetchone()
        if head is None or tuple(head)[:3] != (self._run, name, tail.chunk):
            raise RewrittenError
        if head["checksum"] == tail.checksum:
            return
        row = connection.execute(f"{_PLACE} WHERE rowid = ?", (tail.place,)).fetchone()
        piece = self._chunk(row)
        if piece is None:
            return
        known = len(tail.updates)
        updates, values = piece.updates.astype(np.int64), piece.vals
        if not np.array_equal(updates[:known], tail.updates) or not np.array_equal(
            values[:known], tail.values, equal_nan=True
        ):
            raise RewrittenError
        self._append(name, updates[known:], values[known:])
        tail.checksum, tail.updates, tail.values = head["checksum"], updates, values

    def _begin_chunk(self, place: int, checksum: int, piece: Chunk) -> None:
        before = self._tails.get(piece.series)
        if before is not None and piece.chunk != before.chunk + 1:
            raise RewrittenError
        if before is not None and piece.updates[0] < before.updates[-1]:
            self.left_out += 1
            return
        self._keep_tail(place, checksum, piece)
        self._append(piece.series, piece.updates.astype(np.int64), piece.vals)

    def _append(
        self, name: str, updates: npt.NDArray[np.int64], values: npt.NDArray[np.float64]
    ) -> None:
        if name.startswith(HINDSIGHT):
            self._map.setdefault(name, []).append(Points(updates, values))
            return
        series = self._series.setdefault(name, Series())
        for update, value in zip(updates.tolist(), values.tolist(), strict=True):
            series.append(update, value)

    def _keep_tail(self, place: int, checksum: int, piece: Chunk) -> None:
        updates = piece.updates.astype(np.int64)
        self._tails[piece.series] = _Tail(place, piece.chunk, checksum, updates, piece.vals)

    def _chunk(self, row: sqlite3.Row) -> Chunk | None:
        """Return a piece of a series, None for one that is not as bntui writes them. Raises DamagedError."""
        check_row("points", row)
        try:
            return rows.chunk(row)
        except BorderError:
            self.left_out += 1
            return None


def _last_row(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute("SELECT ifnull(max(rowid), 0) FROM points").fetchone()
    return int(last)
