"""Reading and editing the store: what was run, and what the user thinks of it."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from json import loads
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from bntui.engine.config import Knobs, RunConfig
from bntui.engine.series import Array
from bntui.engine.snapshot import Checkpoint, EpochReport, Mark, RunFacts
from bntui.store.checksum import prove
from bntui.store.encoding import read_config, read_facts, read_knobs, read_report
from bntui.store.liveness import is_held, live_path
from bntui.store.mending import MendedElsewhereError, identity, mend, search, shows_damage
from bntui.store.schema import StoreError, connect, sentence, store_path, transaction
from bntui.store.writing import State, change_run, now, put_weights
from bntui.text import storable

PATIENCE = 5.0
"""Seconds to wait for another process that writes."""


ALIVE = {State.RUNNING, State.PAUSED}


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run as a listing shows it. What was not measured is NaN."""

    id: str
    state: State
    started: datetime
    ended: datetime
    """When it was last written to; both in UTC."""
    config: RunConfig
    """As it began; of a branch, with the knobs of the moment."""
    unknown: tuple[str, ...]
    """Settings that this version of bntui does not know, and `config` therefore lacks."""
    knobs: Knobs
    """The last that were applied."""
    facts: RunFacts
    versions: dict[str, str]
    parent: str | None
    """The run that this one branched off."""
    branched: int | None
    """After how many updates it did."""
    message: str
    updates: int
    epoch: int
    images: int
    seconds: float
    """Spent training and observing."""
    loss: float
    """This and the next three are of the last epoch reported."""
    acc: float
    val_acc: float
    val_acc_fresh: float
    checkpoint: int | None
    """The update of the last checkpoint, if there is one to resume from."""
    note: str
    pinned: bool
    deleted: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A series at full resolution: read-only arrays of equal length, updates ascending."""

    updates: npt.NDArray[np.int64]
    values: Array


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A verdict (see `engine.diagnosis`) at the update where its cause was first seen."""

    at: int
    cause: str
    evidence: tuple[str, ...]
    outlook: str
    cure: str


class Store:
    """One connection to the store. Every method raises StoreError where the file can't be used.

    One that turns out to be damaged is set aside and mended (see `mending`), which is said by a
    StoreError too, a MendedError: what was asked may be asked again.

    May be used from any thread, by one at a time.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or store_path()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        try:
            self._connect()
        except MendedElsewhereError:  # and nothing has been read of it before
            self._connect()

    def __enter__(self) -> Self:
        """Use the store in a `with` block, which closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def runs(self, *, deleted: bool = False) -> list[StoredRun]:
        """Return all runs that are not deleted (or those that are), the newest first."""
        which = "IS NOT NULL" if deleted else "IS NULL"
        rows = self._rows("runs", f"WHERE deleted {which} ORDER BY started DESC, rowid DESC")
        return [self._run(row) for row in rows]

    def run(self, run: str) -> StoredRun:
        """Return the run with this id, deleted or not. Raises StoreError if there is none."""
        found = self.look_up(run)
        if found is None:
            raise StoreError(f"run {run!r} is not in the store: `bntui runs` lists what is.")
        return found

    def look_up(self, run: str) -> StoredRun | None:
        """Return the run with this id, deleted or not; None if there is none."""
        rows = self._rows("runs", "WHERE id = ?", run)
        return self._run(rows[0]) if rows else None

    def find(self, name: str) -> StoredRun:
        """Return the run that `name` means: how its id begins, or `last` for the one begun last.

        Raises StoreError where that is none, or more than one.
        """
        # Not by `started`: the machine's clock may have been set back between two runs.
        rows = self._rows("runs", "WHERE deleted IS NULL ORDER BY rowid DESC")
        ids = [row["id"] for row in rows]
        wanted = name.strip().lower()
        found = [run for run in ids if wanted and run.startswith(wanted)]
        if wanted == "last":
            found = ids[:1]
        if len(found) > 1:
            some = ", ".join(found[:3]) + (" and more" if len(found) > 3 else "")
            raise StoreError(f"run {name!r} may be {some}: give more of the id.")
        if not found:
            raise StoreError(f"run {name!r} is not in the store: `bntui runs` lists what is.")
        return self.run(found[0])

    def points(self, run: str) -> dict[str, Points]:
        """Return every series of a run by name, in the order in which they began."""
        chunks: dict[str, list[sqlite3.Row]] = {}
        for row in self._rows("points", "WHERE run = ? ORDER BY chunk, rowid", run):
            chunks.setdefault(row["series"], []).append(row)
        return {name: _joined(rows) for name, rows in chunks.items()}

    def marks(self, run: str) -> tuple[Mark, ...]:
        """Return what happened to a run, in order."""
        rows = self._rows("marks", "WHERE run = ? ORDER BY number", run)
        return tuple(Mark(row["at"], row["label"], row["change"]) for row in rows)

    def verdicts(self, run: str) -> tuple[StoredVerdict, ...]:
        """Return the verdicts on a run, one for each change of the cause."""
        rows = self._rows("verdicts", "WHERE run = ? ORDER BY rowid", run)
        return tuple(_verdict(row) for row in rows)

    def reports(self, run: str) -> tuple[EpochReport, ...]:
        """Return every epoch's figures, a twin's behind its own; layers without their channels."""
        rows = self._rows("reports", "WHERE run = ? ORDER BY at, twin", run)
        return tuple(read_report(row["figures"]) for row in rows)

    def last_checkpoint(self, run: str) -> Checkpoint | None:
        """Return what a run can go on from, None if there is nothing.

        Raises StoreError if this version does not know all of its settings.
        """
        rows = self._rows("checkpoints", "WHERE run = ?", run)
        if not rows:
            return None
        row = rows[0]
        config, unknown = read_config(row["config"])
        if unknown:
            raise StoreError(
                f"run {run} has settings that this bntui does not know ({', '.join(unknown)}): "
                "resume it with the version that began it."
            )
        return Checkpoint(row["at"], row["label"], config, row["state"], run)

    def weights(self, run: str) -> tuple[int, bytes] | None:
        """Return the update of a run's weights that were kept, and them; None if none were."""
        rows = self._rows("weights", "WHERE run = ?", run)
        return (rows[0]["at"], rows[0]["data"]) if rows else None

    def keep_weights(self, run: str, update: int, weights: bytes) -> None:
        """Keep the weights that a run had after `update`, in place of those kept before."""
        with self._told(), transaction(self._open):
            put_weights(self._open, run, update, weights)

    def set_note(self, run: str, note: str) -> None:
        """Replace what the user remarked on a run."""
        self._edit(run, "note = ?", storable(note))

    def pin(self, run: str, *, pinned: bool = True) -> None:
        """Pin a run, or unpin it."""
        self._edit(run, "pinned = ?", pinned)

    def delete(self, run: str) -> None:
        """Take a run off every list, until `undelete`."""
        self._edit(run, "deleted = ?", now())

    def undelete(self, run: str) -> None:
        """Bring a deleted run back."""
        self._edit(run, "deleted = NULL")

    def _connect(self) -> None:
        with self._told():
            # Before it is opened: should another mend it in between, it is only opened once more.
            self._file = identity(self.path)
            self._connection = connect(self.path, patience=PATIENCE)
            self._file = self._file or identity(self.path)
            search(self._connection, self.path)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            if shows_damage(error, self.path):
                self.close()
                raise self._mended() from error
            raise StoreError(sentence(self.path, error)) from error

    @property
    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("it was closed")
        return self._connection

    def _mended(self) -> StoreError:
        try:
            return mend(self.path, self._file)
        except (sqlite3.Error, OSError) as error:
            return StoreError(f"it is damaged, and {sentence(self.path, error)}")

    def _rows(self, table: str, rest: str, *values: object) -> list[sqlite3.Row]:
        """Return rows of a table, all of them as they were written."""
        with self._told():
            rows = self._open.execute(f"SELECT * FROM {table} {rest}", values).fetchall()
            for row in rows:
                prove(table, row)
        return rows

    def _edit(self, run: str, change: str, *values: object) -> None:
        with self._told(), transaction(self._open):
            change_run(self._open, run, change, *values)

    def _run(self, row: sqlite3.Row) -> StoredRun:
        try:
            return self._read(row)
        except (LookupError, TypeError, ValueError) as error:
            if isinstance(error, StoreError):
                raise
            raise StoreError(
                f"run {row['id']!r} in {self.path} is not as this bntui writes them: update bntui, "
                "or name another file with BNTUI_STORE."
            ) from error

    def _read(self, row: sqlite3.Row) -> StoredRun:
        state = State(row["state"])
        if state in ALIVE:
            with self._told():
                alive = is_held(live_path(self.path, row["id"]))
            state = state if alive else State.INTERRUPTED
        config, unknown = read_config(row["config"])
        return StoredRun(
            id=row["id"],
            state=state,
            started=datetime.fromisoformat(row["started"]),
            ended=datetime.fromisoformat(row["ended"]),
            config=config,
            unknown=unknown,
            knobs=read_knobs(row["knobs"]),
            facts=read_facts(row["facts"]),
            versions=loads(row["versions"]),
            parent=row["parent"],
            branched=row["branched"],
            message=row["message"],
            updates=row["updates"],
            epoch=row["epoch"],
            images=row["images"],
            seconds=row["seconds"],
            loss=_measured(row["loss"]),
            acc=_measured(row["acc"]),
            val_acc=_measured(row["val_acc"]),
            val_acc_fresh=_measured(row["val_acc_fresh"]),
            checkpoint=row["checkpoint"],
            note=row["note"],
            pinned=bool(row["pinned"]),
            deleted=datetime.fromisoformat(row["deleted"]) if row["deleted"] else None,
        )


def _joined(rows: list[sqlite3.Row]) -> Points:
    """Return a series from its chunks, in order."""
    updates = np.frombuffer(b"".join(row["updates"] for row in rows), "<u4").astype(np.int64)
    updates.flags.writeable = False
    return Points(updates, np.frombuffer(b"".join(row["vals"] for row in rows), "<f8"))


def _verdict(row: sqlite3.Row) -> StoredVerdict:
    words = loads(row["words"])
    return StoredVerdict(
        at=row["at"],
        cause=row["cause"],
        evidence=tuple(words.get("evidence", ())),
        outlook=words.get("outlook", ""),
        cure=words.get("cure", ""),
    )


def _measured(value: float | None) -> float:
    """Return a figure from the file, where SQLite keeps NaN as NULL."""
    return math.nan if value is None else value
