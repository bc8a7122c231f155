"""The recorder of a run that begins, and the runs that are kept, for the command line and the screen."""

from dataclasses import replace
from typing import TYPE_CHECKING

from bntui.core.run_request import Resume, RunRequest
from bntui.core.snapshot import Checkpoint, Snapshot
from bntui.core.text import ConfigError

# The rest is imported when it is used: the first picture needs no store.
if TYPE_CHECKING:
    from bntui.store.database import Store
    from bntui.store.recorder import StoreRecorder
    from bntui.store.rows import StoredRun


def recorder(request: RunRequest) -> "StoreRecorder | None":
    """Return what keeps the run that is asked for; None where it is not to be kept.

    Raises StoreError if the run to resume is under way.
    """
    if not request.keep:
        return None
    from bntui.store.recorder import StoreRecorder
    from bntui.store.repair import MendedError
    from bntui.store.schema import StoreError

    if isinstance(request.origin, Resume):
        return StoreRecorder(origin=request.origin)
    notice = ""
    try:
        _store().close()
    except MendedError as error:
        notice = str(error)
    except StoreError:
        pass  # the recorder tries again every second, and says so
    return StoreRecorder(origin=request.origin, note=request.note, notice=notice)


def resumable(name: str) -> Checkpoint:
    """Return the last checkpoint of the run that `name` means (see `Store.find`).

    Raises ConfigError if there is none.
    """
    from bntui.store.listing import why_not_resumed

    with _store() as store:
        found = store.find(name)
        if why := why_not_resumed(found):
            raise ConfigError(why)
        checkpoint = store.last_checkpoint(found.id)
    if checkpoint is None:  # another process has ended it meanwhile
        raise ConfigError(why_not_resumed(replace(found, checkpoint=None)))
    return checkpoint


class KeptRuns:
    """The store for the screen (see `ui.archive`): opened anew each time, so from any thread."""

    remarks: tuple[str, ...] = ()

    def runs(self) -> "list[StoredRun]":
        """Return all runs that are not deleted, the newest first."""
        with _store() as store:
            runs = store.runs()
            self.remarks = tuple(store.remarks)
            return runs

    def load(self, run: str) -> Snapshot:
        """Return a run's last state, with its histories."""
        from bntui.store.stored_snapshot import load_snapshot

        with _store() as store:
            snapshot = load_snapshot(store, run)
            self.remarks = tuple(store.remarks)
            return snapshot

    def command(self, run: str) -> str:
        """Return the command line that repeats a run. Raises ConfigError if there is none."""
        from bntui.store.stored_snapshot import repeating

        with _store() as store:
            line = repeating(store, store.run(run))
        if line is None:
            raise ConfigError(
                f"run {run} can't be repeated: it branched off a run that is no longer kept."
            )
        return line

    def checkpoint(self, run: str) -> Checkpoint:
        """Return the last checkpoint of a run. Raises ConfigError if there is none."""
        return resumable(run)

    def set_note(self, run: str, note: str) -> None:
        """Replace what the user remarked on a run."""
        with _store() as store:
            store.set_note(run, note)

    def pin(self, run: str, *, pinned: bool) -> None:
        """Pin a run, or unpin it."""
        with _store() as store:
            store.pin(run, pinned=pinned)

    def delete(self, run: str) -> None:
        """Take a run off the list."""
        with _store() as store:
            store.delete(run)

    def undelete(self, run: str) -> None:
        """Bring a deleted run back."""
        with _store() as store:
            store.undelete(run)


def _store() -> "Store":
    from bntui.store.database import Store

    return Store()
