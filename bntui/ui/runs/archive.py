"""What the screens may do with the runs that are kept: the store as a type. `store.archive` has the real one."""

from typing import TYPE_CHECKING, Protocol

from bntui.core.snapshot import Checkpoint, Snapshot

if TYPE_CHECKING:  # the first picture needs no store
    from bntui.store.rows import StoredRun

ID = 6
"""Characters of a run's id that are shown; `bntui show` takes as many."""


class Archive(Protocol):
    """Kept runs, by their ids.

    Every method may take long and may be called from any thread. It raises ConfigError, with one
    sentence, where it can't do what was asked.
    """

    remarks: tuple[str, ...]
    """What the last list of runs, or the last run, lacks and why: a sentence for each."""

    def runs(self) -> "list[StoredRun]":
        """Return all runs that are not deleted, the newest first."""

    def load(self, run: str) -> Snapshot:
        """Return a run's last state, with its histories."""

    def command(self, run: str) -> str:
        """Return the command line that repeats a run."""

    def checkpoint(self, run: str) -> Checkpoint:
        """Return what a run that came to no end can go on from."""

    def set_note(self, run: str, note: str) -> None:
        """Replace what the user remarked on a run."""

    def pin(self, run: str, *, pinned: bool) -> None:
        """Pin a run, or unpin it."""

    def delete(self, run: str) -> None:
        """Take a run off the list."""

    def undelete(self, run: str) -> None:
        """Bring a deleted run back."""
