"""Offers to go on with the run that was interrupted, if the last one was."""

import asyncio
from contextlib import suppress

from textual.screen import Screen

from bntui.core.snapshot import Checkpoint
from bntui.core.text import ConfigError
from bntui.store.listing import interrupted, is_cell, why_not_resumed
from bntui.store.rows import StoredRun
from bntui.store.writing import ALIVE, State
from bntui.ui.runs.archive import ID, Archive

OFFER_SECONDS = 30.0


async def offer(screen: Screen[None], archive: Archive | None) -> None:
    """Tell of the run that was interrupted, if the last one was and can be gone on with."""
    if archive is None:
        return
    kept: list[StoredRun] = []
    with suppress(ConfigError):  # what is wrong with the store is told where it is used
        kept = await asyncio.to_thread(archive.runs)
    own = (run for run in kept if run.state not in ALIVE and not is_cell(run))
    last = next(own, None)
    if last in interrupted(kept):
        screen.notify(
            f"run {last.id[:ID]} was interrupted after update {last.updates:,}: "
            f"i resumes it from update {last.checkpoint:,}.",
            timeout=OFFER_SECONDS,
            markup=False,
        )


async def find(screen: Screen[None], archive: Archive | None) -> Checkpoint | None:
    """Return where the last run that was interrupted is to go on from.

    None, and why is said, if there is no such place.
    """
    if archive is None:
        screen.notify("no runs are kept here")
        return None
    try:
        kept = await asyncio.to_thread(archive.runs)
        if not (found := interrupted(kept)):
            screen.notify(why_nothing_to_resume(kept), markup=False)
            return None
        checkpoint = await asyncio.to_thread(archive.checkpoint, found[0].id)
    except ConfigError as error:
        screen.notify(str(error), severity="error", markup=False)
        return None
    return checkpoint


def accepted(screen: Screen[None], checkpoint: Checkpoint) -> None:
    """Tell that the run goes on."""
    screen.app.clear_notifications()  # the offer is taken
    screen.notify(f"run {checkpoint.run[:ID]} goes on from update {checkpoint.update:,}")


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
