"""Read the runs of the store and their measurements; edit notes, pins and deletions."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from bntui.core.border import LONGEST_JSON, BorderError
from bntui.core.snapshot import Checkpoint, EpochReport, Mark
from bntui.core.sweep import Design, same_runs, why_no_name
from bntui.core.text import storable
from bntui.core.watched import Watched
from bntui.machine.places import store_path
from bntui.store import rows
from bntui.store.connection import Connection
from bntui.store.details import LARGEST, WATCHED, Detail
from bntui.store.details import read as read_detail
from bntui.store.liveness import is_id, is_under_way
from bntui.store.rows import Points, StoredRun, StoredVerdict, joined
from bntui.store.schema import NameTakenError, StoreError, transaction
from bntui.store.sweeps import StoredSweep, put_sweep, stored_sweep, sweep_of
from bntui.store.writing import ALIVE, State, now, put_weights

Thing = TypeVar("Thing")

MOST_REMARKS = 20
"""Sentences on what is left out: a file can hold thousands of wrong rows."""


class Store:
    """One connection to the store. Every method raises StoreError where the file can't be used.

    One that turns out to be damaged is mended, as `Connection` says.

    A row that is not as bntui writes them is left out of an answer with others, which `remarks` tells;
    where it alone was asked for, a StoreError tells why.

    May be used from any thread, by one at a time.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or store_path()
        self.remarks: list[str] = []
        """What was left out of the answers so far, since it is not as bntui writes it: a sentence each."""
        self._file = Connection(self.path)

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
        self._file.close()

    def runs(self, *, deleted: bool = False) -> list[StoredRun]:
        """Return all runs that are not deleted (or those that are), the newest first."""
        which = "IS NOT NULL" if deleted else "IS NULL"
        return list(self._sound_runs(f"WHERE deleted {which} ORDER BY started DESC, rowid DESC"))

    def run(self, run: str) -> StoredRun:
        """Return the run with this id, deleted or not. Raises StoreError if there is none."""
        found = self._file.rows("runs", "WHERE id = ?", run)
        if not found:
            raise StoreError(f"run {run!r} is not in the store: `bntui runs` lists what is.")
        try:
            return self._run(found[0])
        except BorderError as error:
            raise StoreError(
                f"run {run!r} in {self.path} is not as this bntui writes them ({error}): `bntui "
                "runs` lists the others; update bntui if a newer one wrote it."
            ) from error

    def sound(self, run: str) -> StoredRun | None:
        """Return the run with this id, deleted or not; None if none can be read."""
        return next(self._sound_runs("WHERE id = ?", run), None)

    def find(self, name: str) -> StoredRun:
        """Return the run that `name` means: how its id begins, or `last` for the one begun last.

        Raises StoreError where that is none, or more than one.
        """
        # Not by `started`: the machine's clock may have been set back between two runs.
        kept = "WHERE deleted IS NULL ORDER BY rowid DESC"
        wanted = name.strip().lower()
        if wanted == "last" and (last := next(self._sound_runs(kept), None)):
            return last
        ids = [row["id"] for row in self._file.rows("runs", kept) if is_id(row["id"])]
        meant = [run for run in ids if wanted and run.startswith(wanted)]
        if len(meant) > 1:
            some = ", ".join(meant[:3]) + (" and more" if len(meant) > 3 else "")
            raise StoreError(f"run {name!r} may be {some}: give more of the id.")
        if not meant:
            raise StoreError(f"run {name!r} is not in the store: `bntui runs` lists what is.")
        return self.run(meant[0])

    def points(self, run: str) -> dict[str, Points]:
        """Return every series of a run by name, in the order in which they began."""
        found = self._file.rows("points", "WHERE run = ? ORDER BY chunk, rowid", run)
        points, left_out = joined(self._sound(run, "pieces of series", found, rows.chunk))
        if left_out:
            self._leave_out(
                f"{left_out} of the pieces of series of run {run}", "they are out of order"
            )
        return points

    def marks(self, run: str) -> tuple[Mark, ...]:
        """Return what happened to a run, in order."""
        found = self._file.rows("marks", "WHERE run = ? ORDER BY number", run)
        return tuple(self._sound(run, "marks", found, rows.mark))

    def verdicts(self, run: str) -> tuple[StoredVerdict, ...]:
        """Return the verdicts on a run, one for each change of the cause."""
        found = self._file.rows("verdicts", "WHERE run = ? ORDER BY rowid", run)
        return tuple(self._sound(run, "verdicts", found, rows.verdict))

    def reports(self, run: str) -> tuple[EpochReport, ...]:
        """Return every epoch's figures, a twin's behind its own; layers without their channels."""
        found = self._file.rows("reports", "WHERE run = ? ORDER BY at, twin", run)
        return tuple(self._sound(run, "reports", found, rows.report))

    def details(self, run: str) -> dict[str, Detail]:
        """Return the last of each measurement of a run and of its twin, by kind (see `details`)."""
        small = f"length(data) <= {LARGEST} AND length(words) <= {LONGEST_JSON}"
        found = self._file.rows("details", f"WHERE run = ? AND {small} ORDER BY kind", run)
        with self._file.errors_as_sentences():
            (kept,) = self._file.connection.execute(
                "SELECT count(*) FROM details WHERE run = ?", (run,)
            ).fetchone()
        if kept > len(found):
            self._leave_out(f"{kept - len(found)} of the measurements of run {run}", "too large")
        sound = self._sound(run, "measurements", found, read_detail)
        return {detail.kind: detail for detail in sound}

    def last_checkpoint(self, run: str) -> Checkpoint | None:
        """Return what a run can go on from, None if there is nothing.

        Raises StoreError if this version does not know all of its settings.
        """
        found = self._file.rows("checkpoints", "WHERE run = ?", run)
        if not found:
            return None
        try:
            checkpoint, unknown = rows.checkpoint(found[0])
            state = self._whole(run, "checkpoints", checkpoint.content())
        except BorderError as error:
            raise StoreError(
                f"the checkpoint of run {run} is damaged ({error}): `bntui show {run}` gives the "
                "command that repeats the run."
            ) from error
        if unknown:
            raise StoreError(
                f"run {run} has settings that this bntui does not know ({', '.join(unknown)}): "
                "resume it with the version that began it."
            )
        return replace(checkpoint, state=state)

    def weights(self, run: str) -> tuple[int, bytes] | None:
        """Return the update of a run's weights that were kept, and them; None if none were."""
        found = self._file.rows("weights", "WHERE run = ?", run)
        try:
            if not found:
                return None
            update, first = rows.weights(found[0])
            return update, self._whole(run, "weights", first)
        except BorderError as error:
            raise StoreError(f"the weights of run {run} can't be read: {error}.") from error

    def keep_weights(self, run: str, update: int, weights: bytes) -> None:
        """Keep the weights that a run had after `update`, in place of those kept before."""
        with self._file.errors_as_sentences(), transaction(self._file.connection):
            put_weights(self._file.connection, run, update, weights)

    def put_sweep(self, name: str, design: Design) -> None:
        """Keep what a sweep runs; what is kept already stays. Raises NameTakenError if another has the name."""
        with self._file.errors_as_sentences(), transaction(self._file.connection):
            put_sweep(self._file.connection, name, design)
        if not same_runs(self.sweep(name).design, design):
            raise NameTakenError(
                f"sweep {name!r} is there already and runs something else: give another --name, or go "
                f"on with that one by `bntui sweep --resume {name}`."
            )

    def sweep(self, name: str) -> StoredSweep:
        """Return the sweep of this name. Raises StoreError if there is none."""
        with self._file.errors_as_sentences():
            return stored_sweep(self._file.connection, self.path, name)

    def has_sweep(self, name: str) -> bool:
        """Tell whether there is a sweep of this name, sound or not."""
        return bool(self._file.rows("sweeps", "WHERE name = ?", storable(name)))

    def sweeps(self) -> list[StoredSweep]:
        """Return all sweeps, the newest first."""
        sound = []
        for row in self._file.rows("sweeps", "ORDER BY rowid DESC"):
            try:
                sound.append(sweep_of(row))
            except BorderError as error:
                name = row["name"]
                named = isinstance(name, str) and not why_no_name(name)
                self._leave_out(f"a sweep {name if named else 'without a name'}", str(error))
        return sound

    def set_note(self, run: str, note: str) -> None:
        """Replace what the user remarked on a run."""
        self._file.edit(run, "note = ?", storable(note))

    def pin(self, run: str, *, pinned: bool = True) -> None:
        """Pin a run, or unpin it."""
        self._file.edit(run, "pinned = ?", pinned)

    def delete(self, run: str) -> None:
        """Take a run off every list, until `undelete`."""
        self._file.edit(run, "deleted = ?", now())

    def undelete(self, run: str) -> None:
        """Bring a deleted run back."""
        self._file.edit(run, "deleted = NULL")

    def _whole(self, run: str, of: str, first: bytes) -> bytes:
        """Return a checkpoint or weights, of which the first piece may be all. Raises BorderError."""
        return rows.with_pieces(
            first, self._file.rows("pieces", "WHERE run = ? AND of = ? ORDER BY number", run, of)
        )

    def _run(self, row: sqlite3.Row, watched: Mapping[str, Watched] | None = None) -> StoredRun:
        """Return a run; one that is under way by its row, and is not, was interrupted.

        `watched` are all that are not ours, if they were read before. Raises BorderError.
        """
        found = rows.run(row)
        if watched is None:
            watched = self._watched("AND run = ?", found.id)
        found = replace(found, watched=watched.get(found.id))
        if found.state in ALIVE:
            with self._file.errors_as_sentences():
                alive = is_under_way(self.path, found.id)
            if not alive:
                return replace(found, state=State.INTERRUPTED)
        return found

    def _sound_runs(self, rest: str, *values: object) -> Iterator[StoredRun]:
        """Return runs that are as bntui writes them."""
        found = self._file.rows("runs", rest, *values)
        watched = self._watched() if len(found) > 1 else None
        for row in found:
            try:
                yield self._run(row, watched)
            except BorderError as error:
                name = row["id"] if is_id(row["id"]) else "without an id"
                self._leave_out(f"a run {name}", str(error))

    def _watched(self, rest: str = "", *values: object) -> dict[str, Watched]:
        """Return what is told of the runs that are trainings of others, by the runs' ids."""
        # By the index, which has the runs first: the other rows of the table are large.
        by_run = f"WHERE run IN (SELECT id FROM runs) AND kind = '{WATCHED}' {rest}"
        found = self._file.rows("details", by_run, *values)
        told: dict[str, Watched] = {}
        for row in found:
            for detail in self._sound(row["run"], "measurements", [row], read_detail):
                told[row["run"]] = detail.value
        return told

    def _sound(
        self, run: str, what: str, found: list[sqlite3.Row], read: Callable[[sqlite3.Row], Thing]
    ) -> list[Thing]:
        """Return what `read` makes of the rows of a run that are as bntui writes them."""
        sound, why = [], ""
        for row in found:
            try:
                sound.append(read(row))
            except BorderError as error:
                why = why or str(error)
        if why:
            self._leave_out(f"{len(found) - len(sound)} of the {what} of run {run}", why)
        return sound

    def _leave_out(self, what: str, why: str) -> None:
        """Remark on what is left out, once."""
        said = str(StoreError(f"left out, not as bntui writes it: {what} ({why})."))
        if said not in self.remarks and len(self.remarks) < MOST_REMARKS:
            self.remarks.append(said)
