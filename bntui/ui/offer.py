"""Offers to go on with the run that was interrupted, if the last one was."""

import asyncio
from contextlib import suppress

from textual.screen import Screen

from bntui.engine.config import ConfigError
from bntui.engine.snapshot import Checkpoint
from bntui.store.database import StoredRun
from bntui.store.listing import interrupted
from bntui.ui.archive import Archive
from bntui.ui.runcolumns import ID

OFFER_SECONDS = 30.0


class Offer:
    """Beside one explorer, for as long as it is there."""

    def __init__(self, screen: Screen[None], archive: Archive | None) -> None:
        self._screen = screen
        self._archive = archive
        self._run: StoredRun | None = None
        """What can be gone on with, if the user wants that."""

    async def make(self) -> None:
        """Tell of the run that was interrupted, if the last one was."""
        if self._archive is None:
            return
        with suppress(ConfigError):  # what is wrong with the store is told where it is used
            kept = await asyncio.to_thread(self._archive.runs)
            self._run = interrupted(kept)
        if run := self._run:
            self._screen.notify(
                f"run {run.id[:ID]} was interrupted after update {run.updates:,}: "
                f"i goes on with it from update {run.checkpoint:,}.",
                timeout=OFFER_SECONDS,
                markup=False,
            )

    def take(self) -> Checkpoint | None:
        """Return where the run is to go on from; None, and why is said, if there is no such place."""
        if self._archive is None or self._run is None:
            self._screen.notify("no run was interrupted: o lists those that are kept.")
            return None
        try:
            checkpoint = self._archive.checkpoint(self._run.id)
        except ConfigError as error:
            self._screen.notify(str(error), severity="error", markup=False)
            return None
        self._run = None
        self._screen.app.clear_notifications()  # the offer is taken
        return checkpoint
