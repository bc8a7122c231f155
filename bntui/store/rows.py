"""The rows of the store as values: a run, a piece of a series, a mark and so on.

Whoever can write a file can write its checksums. So every row passes the border (`bntui.core.border`),
which raises BorderError for one that is not as bntui writes it.
"""

import math
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import numpy as np
import numpy.typing as npt

from bntui.core.border import BorderError, Count, Length, Read, Seconds, Within, convert, parsed
from bntui.core.config import Knobs, RunConfig
from bntui.core.series import Array
from bntui.core.snapshot import Checkpoint, EpochReport, Mark, RunFacts
from bntui.core.text import literal
from bntui.core.watched import Watched
from bntui.diagnose.remedies import Remedy
from bntui.store import details
from bntui.store.checksum import check_row
from bntui.store.encoding import read_config, read_facts, read_knobs, read_report
from bntui.store.liveness import is_id
from bntui.store.writing import State

Thing = TypeVar("Thing")

LAST_UPDATE = 2**32 - 1
"""The number of a point's update is stored in four bytes."""
YEARS = range(2, 9999)
"""Years in which a moment can be told in every time zone."""


def _id(value: object) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise ValueError("made of the digits and letters 0 to f")
    return value


def _moment(value: object) -> datetime:
    """Return a moment in UTC; without a time zone it is taken as UTC."""
    try:
        moment = datetime.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError("a moment such as 2026-01-31T12:00:00+00:00") from None
    if moment.year not in YEARS:
        raise ValueError(f"of the years {YEARS[0]} to {YEARS[-1]}")
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _measured(value: object) -> float:
    """Return a figure; SQLite stores NaN as NULL."""
    return math.nan if value is None else convert(float, value)


def _name(value: object) -> str:
    """Return the name of a series, fit to be shown."""
    return literal(convert(Annotated[str, Length(1, 200)], value))  # type: ignore[arg-type]


def _numbers(kind: str) -> Read:
    def read(value: object) -> npt.NDArray[Any]:
        if not isinstance(value, bytes) or not value or len(value) % np.dtype(kind).itemsize:
            raise ValueError(f"numbers of {np.dtype(kind).itemsize} bytes")
        return np.frombuffer(value, kind)

    return Read(read)


Id = Annotated[str, Read(_id)]
TimeColumn = Annotated[datetime, Read(_moment)]
MeasuredColumn = Annotated[float, Read(_measured)]
Update = Annotated[int, Within(0, LAST_UPDATE)]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run as a listing shows it. A figure that was not measured is NaN."""

    id: Id
    state: State
    started: TimeColumn
    ended: TimeColumn
    """When it was last written to. Both moments are in UTC."""
    config: RunConfig
    """As the run began; for a branch, with the knobs at the branching."""
    unknown: tuple[str, ...]
    """Settings that this version of bntui does not know, and `config` therefore lacks."""
    knobs: Annotated[Knobs, Read(read_knobs)]
    """The knobs that were applied last."""
    facts: Annotated[RunFacts, Read(read_facts)]
    versions: Annotated[dict[str, str], Read(lambda text: convert(dict[str, str], parsed(text)))]
    parent: Id | None
    """The run that this one branched off from."""
    branched: Update | None
    """The number of updates after which it branched off."""
    message: str
    updates: Update
    epoch: Count
    images: Count
    seconds: Seconds
    """Spent training and observing."""
    loss: MeasuredColumn
    """This and the next three are of the last epoch reported; of a watched training this and the next, of a batch."""
    acc: MeasuredColumn
    val_acc: MeasuredColumn
    val_acc_fresh: MeasuredColumn
    checkpoint: Update | None
    """The update of the last checkpoint, if there is one to resume from."""
    note: str
    pinned: Annotated[bool, Read(lambda value: bool(convert(int, value)))]
    deleted: TimeColumn | None
    watched: Watched | None = None
    """What is told of a training that is not ours. `config` and `knobs` then are no settings of its user's."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A series at full resolution: read-only arrays of equal length, updates ascending."""

    updates: npt.NDArray[np.int64]
    values: Array


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A piece of a series."""

    series: Annotated[str, Read(_name)]
    chunk: Update
    last: Update
    updates: Annotated[npt.NDArray[np.uint32], _numbers("<u4")]
    vals: Annotated[Array, _numbers("<f8")]


@dataclass(frozen=True, slots=True)
class _Words:
    """What a verdict says beside its cause."""

    evidence: tuple[str, ...] = ()
    outlook: str = ""
    advice: tuple[Remedy, ...] = ()
    """Not `remedies`: under that name earlier versions kept them in another form."""
    cure: str = ""
    """The remedies in the words of earlier versions, which kept these."""


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A verdict (see `diagnose.verdict`) at the update where its cause was first seen, or last."""

    at: int
    cause: str
    evidence: tuple[str, ...]
    outlook: str
    remedies: tuple[Remedy, ...]
    cure: str
    """In place of `remedies`, what an earlier version of bntui said of them; mostly empty."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    at: Update
    cause: str
    words: Annotated[_Words, Read(lambda text: convert(_Words, parsed(text)))]


@dataclass(frozen=True, slots=True)
class _Mark:
    number: Update
    at: Update
    label: str
    change: str


@dataclass(frozen=True, slots=True)
class _Report:
    at: Update
    twin: str
    figures: Annotated[EpochReport, Read(read_report)]


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    run: Id
    at: Update
    label: str
    state: bytes


@dataclass(frozen=True, slots=True)
class _Weights:
    at: Update
    data: bytes


@dataclass(frozen=True, slots=True)
class _Piece:
    number: Update
    count: Update
    data: bytes


def run(row: sqlite3.Row) -> StoredRun:
    """Return a run, its state as it was written last."""
    config, unknown = _inside("config", read_config, row["config"])
    return convert(StoredRun, {**dict(row), "config": config, "unknown": unknown})


def chunk(row: sqlite3.Row) -> Chunk:
    """Return a piece of a series: updates that do not fall, and as many values."""
    piece = convert(Chunk, dict(row))
    updates = piece.updates.astype(np.int64)
    if len(updates) != len(piece.vals) or updates[-1] != piece.last or (np.diff(updates) < 0).any():
        raise BorderError(f"{piece.series} has updates that fall, or not one for each value")
    return piece


def joined(chunks: Iterable[Chunk]) -> tuple[dict[str, Points], int]:
    """Return every series by name, in the order in which they began, and the number of omitted pieces.

    A piece is omitted if it begins before the end of the piece before it.
    """
    series: dict[str, list[Chunk]] = {}
    left_out = 0
    for piece in chunks:
        before = series.setdefault(piece.series, [])
        if before and piece.updates[0] < before[-1].updates[-1]:
            left_out += 1
        else:
            before.append(piece)
    return {name: _whole(pieces) for name, pieces in series.items()}, left_out


def mark(row: sqlite3.Row) -> Mark:
    """Return what happened at an update."""
    found = convert(_Mark, dict(row))
    return Mark(found.at, found.label, found.change)


def verdict(row: sqlite3.Row) -> StoredVerdict:
    """Return a verdict."""
    found = convert(_Verdict, dict(row))
    words = found.words
    told = (words.evidence, words.outlook, words.advice, words.cure)
    return StoredVerdict(found.at, found.cause, *told)


def report(row: sqlite3.Row) -> EpochReport:
    """Return an epoch's figures."""
    return convert(_Report, dict(row)).figures


def checkpoint(row: sqlite3.Row) -> tuple[Checkpoint, tuple[str, ...]]:
    """Return a checkpoint to resume from, and the settings that this version does not know."""
    config, unknown = _inside("config", read_config, row["config"])
    found = convert(_Checkpoint, dict(row))
    return Checkpoint(found.at, found.label, config, found.state, found.run), unknown


def weights(row: sqlite3.Row) -> tuple[int, bytes]:
    """Return the update of a run's weights, and the weights."""
    found = convert(_Weights, dict(row))
    return found.at, found.data


def with_pieces(first: bytes, pieces: Iterable[sqlite3.Row]) -> bytes:
    """Return bytes that were too large for one row, from the piece in it and the other pieces in order."""
    others = [convert(_Piece, dict(row)) for row in pieces]
    if [piece.number for piece in others] != list(range(1, others[0].count if others else 1)):
        raise BorderError("a piece of it is missing")
    return b"".join([first, *(piece.data for piece in others)]) if others else first


def drop_wrong(connection: sqlite3.Connection, run: str) -> None:
    """Within a transaction, remove the rows of a run that are not as bntui writes them.

    A run that is resumed appends to its rows, which fails behind a wrong one.
    """
    readers: dict[str, Callable[[sqlite3.Row], object]] = {
        "points": chunk,
        "marks": mark,
        "verdicts": verdict,
        "reports": report,
        "details": details.read,
    }
    for table, read in readers.items():
        found = connection.execute(f"SELECT rowid AS place, * FROM {table} WHERE run = ?", (run,))
        for row in found.fetchall():
            check_row(table, row)
            try:
                read(row)
            except BorderError:
                connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (row["place"],))


def _whole(pieces: list[Chunk]) -> Points:
    updates = np.concatenate([piece.updates for piece in pieces]).astype(np.int64)
    values = np.concatenate([piece.vals for piece in pieces])
    updates.flags.writeable = values.flags.writeable = False
    return Points(updates, values)


def _inside(column: str, read: Callable[[object], Thing], value: object) -> Thing:
    """Return the value of a column; the message of an error names the column."""
    try:
        return read(value)
    except BorderError as error:
        raise BorderError(f"{column}: {error}") from error
