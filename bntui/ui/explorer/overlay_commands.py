"""The keys that lay other runs behind the curves of the one under way."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.screen import Screen

from bntui.core.run import Run
from bntui.core.run_request import Follow, Resume
from bntui.core.snapshot import Checkpoint, Snapshot
from bntui.ui.explorer.ghosts import Ghosts
from bntui.ui.explorer.new_run_commands import BeginRun
from bntui.ui.runs.archive import Archive

if TYPE_CHECKING:
    from bntui.ui.runs.screen import Chosen


def pin(screen: Screen[None], ghosts: Ghosts, run: Run, redraw: Callable[[], None]) -> None:
    """Keep this run's curves as a ghost behind all runs to come; again: no longer."""
    pinned = ghosts.pinned = None if ghosts.pinned else run
    screen.notify(
        "this run's curves will stay behind later ones"
        if pinned
        else "the pinned curves are taken away"
    )
    redraw()


def open_runs(
    screen: Screen[None],
    archive: Archive | None,
    latest: Callable[[], Snapshot],
    ghosts: Ghosts,
    begin: BeginRun,
    redraw: Callable[[], None],
) -> None:
    """Open the list of the runs that are kept: to lay one over the charts, or to resume one."""
    if archive is None:
        screen.notify("no runs are kept here")
        return
    from bntui.ui.runs.screen import RunsScreen  # the first picture needs no other screen

    def closed(chosen: "Chosen | None") -> None:
        if isinstance(chosen, Checkpoint):
            begin(chosen.config, Resume(chosen))
        elif isinstance(chosen, Follow):
            begin(latest().config, chosen)
        elif chosen:
            run, snapshot = chosen
            if snapshot is None:
                ghosts.stored.pop(run, None)
            else:
                ghosts.stored[run] = snapshot
            redraw()

    screen.app.push_screen(RunsScreen(archive, latest, ghosts.stored.keys()), closed)
