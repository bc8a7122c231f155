"""Offers to go on with the run that was interrupted, if the last one was."""

import asyncio
from contextlib import suppress

from textual.screen import Screen

from bntui.core.snapshot import Checkpoint
from bntui.core.text import ConfigError
from bntui.store.listing import interrupted, why_not_resumed
from bntui.store.rows import StoredRun
from bntui.store.writing import ALIVE, State
from bntui.ui.runs.archive import Archive
from bntui.ui.runs.columns import ID

OFFER_SECONDS = 30.0


class ResumeOffer:
    """Tells of the run that was interrupted last, and returns where it goes on from."""

    def __init__(self, screen: Screen[None], archive: Archive | None) -> None:
        self._screen = screen
        self._archive = archive

    async def make(self) -> None:
        """Tell of the run that was interrupted, if the last one was and can be gone on with."""
        if self._archive is None:
            return
        kept: list[StoredRun] = []
        with suppress(ConfigError):  # what is wrong with the store is told where it is used
            kept = await asyncio.to_thread(self._archive.runs)
        last = next((run for run in kept if run.state not in ALIVE), None)
        if last in interrupted(kept):
            self._screen.notify(
                f"run {last.id[:ID]} was interrupted after update {last.updates:,}: "
                f"i goes on with it from update {last.checkpoint:,}.",
                timeout=OFFER_SECONDS,
                markup=False,
            )

    async def take(self) -> Checkpoint | None:
        """Return where the last run that was interrupted is to go on from.

        None, and why is said, if there is no such place.
        """
        if self._archive is None:
            self._screen.notify("no runs are kept here")
            return None
        try:
            kept = await asyncio.to_thread(self._archive.runs)
            if not (found := interrupted(kept)):
                self._screen.notify(why_nothing_to_resume(kept), markup=False)
                return None
            checkpoint = await asyncio.to_thread(self._archive.checkpoint, found[0].id)
        except ConfigError as error:
            self._screen.notify(str(error), severity="error", markup=False)
            return None
        self._screen.app.clear_notifications()  # the offer is taken
        self._screen.notify(f"run {found[0].id[:ID]} goes on from update {checkpoint.update:,}")
        return checkpoint


def why_nothing_to_resume(kept: list[StoredRun]) -> str:
    """Return why none of the runs, the newest first, can be gone on with."""
    cut = [run for run in kept if run.state is State.INTERRUPTED]
    if not cut:
        return "no run was interrupted: o lists those that are kept."
    if len(cut) == 1:
        return why_not_resumed(cut[0])
    return (
        f"{len(cut)} runs were interrupted, and none can be gone on with: {why_not_resumed(cut[0])}"
    )
