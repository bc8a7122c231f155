"""What is written of a run while it goes on.

Functions on a connection in a transaction (`schema.transaction`): they raise sqlite3.Error.
"""

import platform
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from json import dumps

import numpy as np
import numpy.typing as npt

from bntui import __version__
from bntui.core.snapshot import Checkpoint, EpochReport, Mark, Phase, RunFacts, Snapshot
from bntui.core.text import storable
from bntui.diagnose.causes import Verdict
from bntui.diagnose.remedies import values
from bntui.store.checksum import CHECKED, OF_RUNS, check_row, insertion, is_whole, write_checksums
from bntui.store.encoding import finite, read_report, write, write_report

PIECE = 256_000_000
"""Bytes of a row at most: SQLite takes no more than a billion, and Python's module half as many."""


class State(StrEnum):
    """Where a stored run stands."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """Its user did not end it: the link dropped, or its program was killed."""


ALIVE = {State.RUNNING, State.PAUSED}
"""States of a run that is under way."""


def state_of(phase: Phase, before: State) -> State:
    """Return the state to store; a finished run that is closed has still finished."""
    if phase in {Phase.STOPPED, Phase.INTERRUPTED} and before is State.FINISHED:
        return State.FINISHED
    return State.RUNNING if phase is Phase.LOADING else State(phase.value)


def now() -> str:
    """Return this moment in UTC as it is written in the store: such texts sort by time."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def versions() -> dict[str, str]:
    """Return the versions of what a run's numbers depend on; asking imports none of it."""
    from importlib.metadata import PackageNotFoundError, version  # slow, and not of the start

    found = {"bntui": __version__, "python": platform.python_version()}
    for package in ("torch", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def change_run(connection: sqlite3.Connection, run: str, change: str, *values: object) -> None:
    """Change columns of a run in the table `runs`, and its checksum, which must be right before."""
    for row in connection.execute("SELECT * FROM runs WHERE id = ?", (run,)).fetchall():
        check_row("runs", row)
    connection.execute(f"UPDATE runs SET {change} WHERE id = ?", (*values, run))
    write_checksums(connection, "runs", "WHERE id = ?", run)


def drop_run(connection: sqlite3.Connection, run: str) -> None:
    """Remove all of a run, if there is one of this id."""
    connection.execute("DELETE FROM runs WHERE id = ?", (run,))


def put_run(
    connection: sqlite3.Connection,
    run: str,
    state: State,
    snapshot: Snapshot,
    parent: Checkpoint | None,
    note: str = "",
) -> None:
    """Write that there is a new run, which may branch off another at a checkpoint of it."""
    begun = now()
    made_of = (snapshot.config, snapshot.knobs, snapshot.facts)
    connection.execute(
        "INSERT INTO runs (id, state, started, ended, config, knobs, facts, versions, note,"
        " parent, branched) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(run, state, begun, begun, *map(write, made_of), dumps(versions()), storable(note)),
            *((parent.run, parent.update) if parent else (None, None)),
        ),
    )
    write_checksums(connection, "runs", "WHERE id = ?", run)


def put_failure(connection: sqlite3.Connection, run: str, snapshot: Snapshot, note: str) -> None:
    """Write that a run failed before it was loaded, with what is known of it; one that is there has failed now."""
    config = snapshot.config
    if connection.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone() is None:
        # A row has at least one image: see `RunFacts.loaded`.
        facts = RunFacts(config.device, config.dataset, 1, 0, 0, (), 0)
        snapshot = replace(snapshot, facts=facts, knobs=config.knobs)
        put_run(connection, run, State.FAILED, snapshot, None, note)
    change = "state = ?, ended = ?, message = ?"
    change_run(connection, run, change, State.FAILED, now(), storable(snapshot.message))


LAST = {"loss": "train_loss", "acc": "train_acc"}
"""The series of a batch's figures, by the columns that show the last of them."""


def put_progress(
    connection: sqlite3.Connection, run: str, state: State, snapshot: Snapshot
) -> None:
    """Write how far a run is, and the accuracies that it showed last.

    Of a watched training its last batch's figures, too: epochs' it has none.
    """
    seen = snapshot.accuracies
    own = LAST if snapshot.watched else {}
    last = {
        column: snapshot.series[name].latest
        for column, name in own.items()
        if name in snapshot.series
    }
    change_run(
        connection,
        run,
        "state = ?, ended = ?, knobs = ?, message = ?, updates = ?, epoch = ?, images = ?,"
        " seconds = ?"
        + ", val_acc = ?, val_acc_fresh = ?" * (seen is not None)
        + "".join(f", {column} = ?" for column in last),
        state,
        now(),
        write(snapshot.knobs),
        storable(snapshot.message) if snapshot.phase is Phase.FAILED else "",
        snapshot.update,
        snapshot.epoch,
        snapshot.images,
        snapshot.seconds,
        *(seen or ()),
        *last.values(),
    )


def put_chunk(
    connection: sqlite3.Connection,
    run: str,
    series: str,
    chunk: int,
    updates: npt.ArrayLike,
    values: npt.ArrayLike,
) -> None:
    """Write a chunk of a series, in place of what it was; not empty, updates ascending."""
    packed, numbers = np.asarray(updates, "<u4"), np.asarray(values, "<f8")
    row = (run, series, chunk, int(packed[-1]), packed.tobytes(), numbers.tobytes())
    behind, sealed = insertion("points", row)
    connection.execute(
        f"INSERT INTO {behind} ON CONFLICT DO UPDATE SET last = excluded.last,"
        " updates = excluded.updates, vals = excluded.vals, checksum = excluded.checksum",
        sealed,
    )


def put(connection: sqlite3.Connection, table: str, *row: object) -> None:
    """Write a whole row of one of the tables of a run, in place of the one with its key."""
    behind, sealed = insertion(table, row)
    connection.execute(f"INSERT OR REPLACE INTO {behind}", sealed)


def put_marks(connection: sqlite3.Connection, run: str, marks: Sequence[Mark], first: int) -> None:
    """Add marks, of which the first is number `first` of the run's."""
    for number, mark in enumerate(marks, start=first):
        words = (storable(mark.label), storable(mark.change))
        put(connection, "marks", run, number, mark.update, *words)


def put_verdicts(
    connection: sqlite3.Connection, run: str, verdicts: Iterable[tuple[int, Verdict]]
) -> None:
    """Add verdicts, each with its update.

    Of verdicts with the same cause in succession two rows stay: as it was first seen, and as it was
    last.
    """
    for at, judged in verdicts:
        before = connection.execute(
            "SELECT rowid, cause FROM verdicts WHERE run = ? ORDER BY rowid DESC LIMIT 2", (run,)
        ).fetchall()
        if [row["cause"] for row in before] == [judged.cause] * 2:
            connection.execute("DELETE FROM verdicts WHERE rowid = ?", (before[0]["rowid"],))
        words = {
            "evidence": judged.evidence,
            "outlook": judged.outlook,
            "advice": [values(remedy) for remedy in judged.remedies],
        }
        put(connection, "verdicts", run, at, judged.cause, dumps(finite(words, str)))


def put_reports(connection: sqlite3.Connection, run: str, reports: Sequence[EpochReport]) -> None:
    """Add epochs' figures, of which the listing shows the last loss and accuracy in training."""
    for report in reports:
        put(connection, "reports", run, report.update, report.twin, write_report(report))
    own = [report for report in reports if not report.twin]
    if own:
        _put_figures(connection, run, own[-1])


def _put_figures(connection: sqlite3.Connection, run: str, report: EpochReport | None) -> None:
    """Write what a listing shows of the last epoch, NULL for what was not measured."""
    figures: tuple[float | None, ...] = (None,) * 4
    if report:
        figures = (report.loss, report.acc, report.val_acc, report.val_acc_fresh)
    change_run(connection, run, "loss = ?, acc = ?, val_acc = ?, val_acc_fresh = ?", *figures)


def put_checkpoint(connection: sqlite3.Connection, run: str, checkpoint: Checkpoint) -> None:
    """Keep what a run can go on from, in place of the checkpoint before."""
    first = _put_pieces(connection, run, "checkpoints", checkpoint.content())
    what = (storable(checkpoint.label), write(checkpoint.config), first)
    put(connection, "checkpoints", run, checkpoint.update, *what)
    _note_checkpoint(connection, run)


def put_weights(connection: sqlite3.Connection, run: str, update: int, weights: bytes) -> None:
    """Write the weights that a run had after `update`, in place of those before."""
    first = _put_pieces(connection, run, "weights", weights)
    put(connection, "weights", run, update, first)


def _put_pieces(connection: sqlite3.Connection, run: str, of: str, content: bytes) -> bytes:
    """Keep all but the first piece of what may be too large for a row; return that one."""
    connection.execute("DELETE FROM pieces WHERE run = ? AND of = ?", (run, of))
    # The limit counts a row's other columns too.
    size = min(PIECE, connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH) * 3 // 4)
    count = max(1, -(-len(content) // size))
    for number in range(1, count):
        piece = content[number * size : (number + 1) * size]
        put(connection, "pieces", run, of, number, count, piece)
    return content if count == 1 else content[:size]


def _drop_stray_pieces(connection: sqlite3.Connection, run: str) -> None:
    for of in ("checkpoints", "weights"):
        connection.execute(
            f"DELETE FROM pieces WHERE run = ? AND of = ? AND run NOT IN (SELECT run FROM {of})",
            (run, of),
        )


def copy_run(source: sqlite3.Connection, to: sqlite3.Connection, run: str) -> None:
    """Within a transaction, put a run, whole, from one store into another."""
    drop_run(to, run)
    for table in OF_RUNS:
        columns = CHECKED[table]
        rows = source.execute(
            f"SELECT * FROM {table} WHERE {columns[0]} = ? ORDER BY rowid", (run,)
        )
        for row in rows:
            check_row(table, row)
            put(to, table, *(row[column] for column in columns))


def copy_sweeps(source: sqlite3.Connection, to: sqlite3.Connection) -> None:
    """Within a transaction, put what is whole of the sweeps of one store into another that lacks them."""
    for row in source.execute("SELECT * FROM sweeps ORDER BY rowid"):
        if is_whole("sweeps", row):
            behind, sealed = insertion("sweeps", (row[column] for column in CHECKED["sweeps"]))
            to.execute(f"INSERT OR IGNORE INTO {behind}", sealed)


def drop_checkpoint(connection: sqlite3.Connection, run: str) -> None:
    """Remove a run's checkpoint."""
    connection.execute("DELETE FROM checkpoints WHERE run = ?", (run,))
    _drop_stray_pieces(connection, run)
    _note_checkpoint(connection, run)


def _note_checkpoint(connection: sqlite3.Connection, run: str) -> None:
    """Write beside the run what there is to resume from, so that a listing need not look."""
    change_run(connection, run, "checkpoint = (SELECT at FROM checkpoints WHERE run = id)")


def truncate_after(connection: sqlite3.Connection, run: str, update: int) -> None:
    """Within a transaction, forget what `run` did after `update`.

    Marks at `update` itself go too: they say what came between it and the next. One that was already
    there when the state at `update` was saved is in that state's own marks.
    """
    for row in connection.execute(
        "SELECT * FROM points WHERE run = ? AND last > ?", (run, update)
    ).fetchall():
        check_row("points", row)  # before what is left of it gets a checksum of its own
        updates, values = np.frombuffer(row["updates"], "<u4"), np.frombuffer(row["vals"], "<f8")
        kept = int(np.searchsorted(updates, update, side="right"))
        place = (run, row["series"], row["chunk"])
        if kept:
            put_chunk(connection, *place, updates[:kept], values[:kept])
        else:
            connection.execute(
                "DELETE FROM points WHERE run = ? AND series = ? AND chunk = ?", place
            )
    connection.execute("DELETE FROM marks WHERE run = ? AND at >= ?", (run, update))
    for table in ("verdicts", "reports", "checkpoints", "weights", "details"):
        connection.execute(f"DELETE FROM {table} WHERE run = ? AND at > ?", (run, update))
    _drop_stray_pieces(connection, run)
    change_run(connection, run, "updates = min(updates, ?)", update)
    _note_checkpoint(connection, run)
    last = connection.execute(
        "SELECT * FROM reports WHERE run = ? AND twin = '' ORDER BY at DESC LIMIT 1", (run,)
    ).fetchone()
    if last:
        check_row("reports", last)
    _put_figures(connection, run, read_report(last["figures"]) if last else None)
