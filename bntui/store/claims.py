"""Cells of sweeps as work to be had: the store is the queue, and a run's lock says who has it."""

from dataclasses import dataclass, replace
from pathlib import Path

from bntui import __version__
from bntui.core.rules import scheduled_batch
from bntui.core.run_request import New, Origin, Resume, RunRequest
from bntui.core.snapshot import Checkpoint, Phase, Snapshot
from bntui.core.sweep import OBSERVED, Cell, cell_id
from bntui.store.connection import Connection
from bntui.store.database import Store
from bntui.store.liveness import is_under_way
from bntui.store.recorder import StoreRecorder
from bntui.store.repair import MendedError
from bntui.store.rows import StoredRun
from bntui.store.runs_file import RunsFile
from bntui.store.schema import StoreError, sentence, transaction
from bntui.store.writing import State, drop_run, put_failure, versions

SAME_VERSIONS = ("torch", "numpy")
"""Beside bntui's own, the versions that a run's numbers depend on."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A cell that is this process's to run, until the recorder is closed."""

    recorder: StoreRecorder
    """Holds the cell's run."""
    request: RunRequest
    """What is to be run: from its start, or from its last checkpoint on."""

    def close(self, snapshot: Snapshot) -> None:
        """End the recording of the cell's run, whose last snapshot this is, and give the cell back.

        That it failed before it was loaded is kept, too: else every claim would try it again.
        """
        if snapshot.phase is Phase.FAILED and snapshot.facts is None:
            try:
                self._keep_failure(snapshot)
            except StoreError as error:
                self.recorder.problem = str(error)
        self.recorder.close(snapshot)

    def _keep_failure(self, snapshot: Snapshot) -> None:
        file, run = Connection(self.recorder.path), self.recorder.run
        try:
            with file.errors_as_sentences(), transaction(file.connection):
                if isinstance(self.request.origin, New):
                    drop_run(file.connection, run)
                put_failure(file.connection, run, snapshot, self.request.note)
        finally:
            file.close()


def claim(path: Path, cell: Cell, note: str = "", *, retry_failed: bool = False) -> Claim | None:
    """Take a cell of the store at `path` if it is there to be run; of processes that ask, one has it.

    None if it has finished, has failed (unless `retry_failed`), or another process has it or is just looking
    at it. A run of the same settings and versions that has ended before its end goes on from its last
    checkpoint, with the configuration of that; any other begins anew, in place of what is kept of it. A run
    that was deleted counts as kept, and is back on the lists if it goes on or begins anew.

    `note` is kept beside a new run. Raises StoreError where the store can't be used; one that is damaged is
    mended first, which the recorder's `notice` then tells, unless a run is under way: then let that one end.
    """
    try:
        return _claimed(path, cell, note, "", retry_failed=retry_failed)
    except MendedError as error:
        return _claimed(path, cell, note, str(error), retry_failed=retry_failed)


def is_done(cell: Cell, state: State, epoch: int, updates: int) -> bool:
    """Tell whether a run has all epochs and updates of its cell, though it may have been trained further."""
    further = epoch > cell.config.epochs or updates > (cell.config.steps or updates)
    return state is State.FINISHED or further


def is_of(run: StoredRun, cell: Cell) -> bool:
    """Tell whether a run with a cell's id is the cell's: it has its settings.

    A run is kept with the batch size that it began with: that of its schedule, and no more than there are
    training images.
    """
    if run.unknown or run.watched is not None:
        return False
    asked = cell.config
    first = scheduled_batch(asked.batch_schedule, 1, asked.knobs.batch_size)
    begun = replace(asked, knobs=replace(asked.knobs, batch_size=min(first, run.facts.train)))
    return cell_id(run.config) in {cell.id, cell_id(begun)}


def _claimed(path: Path, cell: Cell, note: str, notice: str, *, retry_failed: bool) -> Claim | None:
    # Twice: a cell that is done needs no lock, and may be done by the time that its lock is had.
    if _origin(path, cell, retry_failed=retry_failed) is None or _is_under_way(path, cell.id):
        return None
    file = RunsFile(path)
    try:
        origin = _origin(path, cell, retry_failed=retry_failed) if _hold(file, cell.id) else None
        if origin is None:
            file.close()
            return None
        if isinstance(origin, Resume):
            with Store(path) as store:
                store.undelete(cell.id)
        recorder = StoreRecorder(
            path, origin=origin, run=cell.id, file=file, note=note, notice=notice
        )
    except BaseException:
        file.close()
        raise
    config = origin.checkpoint.config if isinstance(origin, Resume) else cell.config
    return Claim(recorder, RunRequest(config, OBSERVED, origin, note))


def _is_under_way(path: Path, run: str) -> bool:
    try:
        return is_under_way(path, run)
    except OSError as error:
        raise StoreError(sentence(path, error)) from error


def _hold(file: RunsFile, run: str) -> bool:
    try:
        return file.hold(run)
    except OSError as error:
        raise StoreError(sentence(file.path, error)) from error


def _origin(path: Path, cell: Cell, *, retry_failed: bool) -> Origin | None:
    """Return where the cell's run is to begin; None if there is nothing to be run."""
    with Store(path) as store:
        run = store.sound(cell.id)
        if run is None or not is_of(run, cell):
            return New()
        if is_done(cell, run.state, run.epoch, run.updates):
            return None
        if run.state is State.FAILED:
            return New() if retry_failed else None
        checkpoint = _usable_checkpoint(store, run, cell)
        return New() if checkpoint is None else Resume(checkpoint)


def _usable_checkpoint(store: Store, run: StoredRun, cell: Cell) -> Checkpoint | None:
    """Return the checkpoint from which a run goes on as if it had not been interrupted."""
    now = {**versions(), "bntui": __version__}
    same = all(run.versions.get(name) == now[name] for name in ("bntui", *SAME_VERSIONS))
    if run.checkpoint is None or cell.config.twin or not same:
        return None
    try:
        checkpoint = store.last_checkpoint(run.id)
    except MendedError:
        raise
    except StoreError:  # not as this version writes it
        return None
    return checkpoint if checkpoint and cell_id(checkpoint.config) == cell.id else None
