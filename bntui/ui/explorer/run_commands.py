"""What keys do to the run under way. `available_keys` says when each of them can act."""

from collections.abc import Callable

from textual.screen import Screen

from bntui.core.run import Command, Run
from bntui.core.snapshot import Phase
from bntui.diagnose.health import recent
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


class RecalibrateKey:
    """A key that first tries a recalibration and, pressed again soon after, applies one."""

    def __init__(
        self,
        current: CurrentRun,
        *,
        explain: Callable[[str], None],
        before_applying: Callable[[Callable[[], None]], None],
        applied: Callable[[], None],
    ) -> None:
        """`explain` shows a sentence; `applied` is called when a recalibration is applied.

        `before_applying` is handed what applies one, and has it done unless the user disagrees.
        """
        self._current = current
        self._explain = explain
        self._before_applying = before_applying
        self._applied = applied
        self._tried: tuple[Run, int] | None = None
        """The run and the update at which one was tried."""

    def press(self) -> None:
        """Find out what a recalibration would do; a second time, soon after, apply it."""
        run, snapshot = self._current.run, self._current.snapshot
        if self._tried and self._tried[0] is run and recent(snapshot, self._tried[1]):
            self._before_applying(self._apply)
        else:
            self._tried = run, snapshot.update
            run.command(Command.PEEK)
            self._explain("trying a recalibration…; c again applies one")

    def _apply(self) -> None:
        self._tried = None
        self._current.run.command(Command.RECALIBRATE)
        self._applied()
        self._explain("recalibrating…")
