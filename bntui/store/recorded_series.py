"""The series of a run that is being kept: what waits for the store, and what is there already."""

import sqlite3
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from bntui.core.measured import Hindsight
from bntui.core.run import Point
from bntui.core.snapshot import Snapshot
from bntui.store.writing import put_chunk

CHUNK = 256
"""Values from which on a chunk is not written again: until then it grows by rewriting one page."""


@dataclass(slots=True)
class _Chunk:
    """The newest values of a series, which may still grow in the store."""

    updates: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    written: int = 0


class RecordedSeries:
    """Those of one run."""

    def __init__(self, run: str, resumed_at: int) -> None:
        """`resumed_at` is the update up to which the store has the run's series; 0 for a new run."""
        self._run = run
        self._chunks: dict[str, _Chunk] = {}
        self._numbers: dict[str, int] = {}
        """Of each series, how many chunks are full."""
        self._hindsight: Hindsight | None = None
        self._moments_to = float(resumed_at)
        """The update of the last moment that was taken from the map of all momenta."""

    def append(self, points: Iterable[Point]) -> None:
        """Take values of any series, each series' in the order of their updates."""
        chunks = self._chunks
        for name, update, value in points:
            chunk = chunks.get(name)
            if chunk is None:
                chunk = chunks[name] = _Chunk()
            chunk.updates.append(update)
            chunk.values.append(value)

    def append_moments(self, hindsight: Hindsight | None) -> None:
        """Take the moments that the map of all momenta gained, a series for each of its rows."""
        if hindsight is None or hindsight is self._hindsight:
            return
        self._hindsight = hindsight
        new = hindsight.updates > self._moments_to
        updates = hindsight.updates[new].astype(int).tolist()
        rows = dict(zip(hindsight.names, hindsight.accuracy, strict=True))
        rows |= {"own": hindsight.own, "fresh": hindsight.fresh, "momentum": hindsight.momentum}
        for name, row in rows.items():
            values = row[new].tolist()
            self.append((f"hindsight:{name}", *p) for p in zip(updates, values, strict=True))
        self._moments_to = float(hindsight.updates[-1])

    @property
    def waiting(self) -> int:
        """How many values are in memory."""
        return sum(len(chunk.values) for chunk in self._chunks.values())

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what is new, within a transaction. Raises sqlite3.Error."""
        for name, chunk in self._chunks.items():
            if len(chunk.values) > chunk.written:
                number = self._numbers.get(name, 0)
                put_chunk(connection, self._run, name, number, chunk.updates, chunk.values)

    def committed(self) -> None:
        """Note that what was written is safe; full chunks are forgotten."""
        for name, chunk in self._chunks.items():
            chunk.written = len(chunk.values)
            if chunk.written >= CHUNK:
                self._numbers[name] = self._numbers.get(name, 0) + 1
                self._chunks[name] = _Chunk()

    def count(self, connection: sqlite3.Connection) -> None:
        """Count the chunks that the store has of a run to resume, and its moments. Raises sqlite3.Error."""
        self._numbers = dict(
            connection.execute(
                "SELECT series, max(chunk) + 1 FROM points WHERE run = ? GROUP BY series",
                (self._run,),
            ).fetchall()
        )
        # One that was stopped while it measured its last update owes the moment there.
        (last,) = connection.execute(
            "SELECT max(last) FROM points WHERE run = ? AND series = 'hindsight:fresh'",
            (self._run,),
        ).fetchone()
        self._moments_to = float(last or 0.0)

    def write_anew(self, connection: sqlite3.Connection, snapshot: Snapshot) -> None:
        """Write what charts show, in the place of series that are lost with their file.

        The map of all momenta is taken whole at the next snapshot. Raises sqlite3.Error.
        """
        for name, view in snapshot.series.items():
            if len(view.x):
                put_chunk(connection, self._run, name, 0, view.x.astype(int), view.last)
        self._numbers = dict.fromkeys(snapshot.series, 1)
        self.forget()
        self._hindsight, self._moments_to = None, 0.0

    def forget(self) -> None:
        """Drop all that is in memory."""
        self._chunks.clear()
