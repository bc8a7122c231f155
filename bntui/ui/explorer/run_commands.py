"""What keys do to the run under way. `available_keys` says when each of them can act."""

from textual.screen import Screen

from bntui.core.run import Command
from bntui.core.snapshot import Phase
from bntui.ui.explorer.current_run import CurrentRun
from bntui.ui.runs.archive import ID


def pause(screen: Screen[None], current: CurrentRun) -> None:
    """Pause, or train on."""
    paused = not current.paused
    if current.snapshot.phase is Phase.LOADING:
        screen.notify("once loaded, the run " + ("waits" if paused else "trains"))
    current.pause(paused=paused)


def step(current: CurrentRun) -> None:
    """Make one update and stay paused."""
    current.pause(paused=True)
    current.run.command(Command.STEP)


def keep_weights(screen: Screen[None], current: CurrentRun) -> None:
    """Keep the weights of this moment in the store."""
    current.run.command(Command.KEEP_WEIGHTS)
    at, run = current.snapshot.update, current.snapshot.run[:ID]
    screen.notify(
        f"the weights of update {at} go to the store: bntui export {run} --format weights"
    )


def recalibrate(screen: Screen[None], current: CurrentRun) -> None:
    """Replace the running statistics by pooled ones of training batches; the run tells what it gave."""
    current.run.command(Command.RECALIBRATE)
    if current.snapshot.followed:
        screen.notify("the watched training is asked to recalibrate at its next update")
    else:
        screen.notify("recalibrating…", timeout=1.0)


def try_recalibration(screen: Screen[None], current: CurrentRun) -> None:
    """Find out what a recalibration would give; change nothing."""
    current.run.command(Command.PEEK)
    screen.notify("measuring what a recalibration would give…", timeout=1.0)
