"""Runs and a store that stand still: they show the states of real ones, and measure nothing anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bntui.core.command_line import command_line
from bntui.core.config import Knobs
from bntui.core.run import LEAVE_SECONDS, Command, Run
from bntui.core.run_request import Follow, RunRequest
from bntui.core.snapshot import Checkpoint, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bntui.store.rows import StoredRun

MEASURED = {Command.WHAT_IF: "what_if"}
"""What a command has measured, of those that a screen waits for."""


class FrozenRun:
    """A run that shows one state from the moment it is started."""

    def __init__(self, request: RunRequest, state: Snapshot) -> None:
        config = request.config
        followed = isinstance(request.origin, Follow)
        self.snapshot = Snapshot(
            config=config, knobs=config.knobs, epochs=config.epochs, followed=followed
        )
        self._state = state

    def start(self, *, after: Run | None = None) -> None:
        """Show the state, without what is measured when a screen asks for it."""
        unmeasured: dict[str, Any] = dict.fromkeys(MEASURED.values())
        self.snapshot = replace(self._state, **unmeasured)

    def command(self, command: Command) -> None:
        """Show what was measured in the real run when it was asked for this."""
        if field := MEASURED.get(command):
            self.snapshot = replace(self.snapshot, **{field: getattr(self._state, field)})

    def apply(self, knobs: Knobs) -> None:
        """Show that other knobs are wanted."""
        self.snapshot = replace(self.snapshot, wanted=knobs)

    def pause(self) -> None:
        """Do nothing: it stands still."""

    def resume(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def join(self, timeout: float | None = None) -> bool:
        """Return that it has ended."""
        return True

    def leave(self, timeout: float = LEAVE_SECONDS, *, interrupted: bool = False) -> bool:
        """Return that it has ended."""
        return True


def showing(*states: Snapshot) -> Callable[[RunRequest], FrozenRun]:
    """Return what makes a run for each of the states, in their order; more runs show the last one."""
    left: Iterable[Snapshot] = iter(states)

    def make(request: RunRequest) -> FrozenRun:
        return FrozenRun(request, next(left, states[-1]))  # type: ignore[call-overload]

    return make


class FrozenArchive:
    """The runs that were kept of real ones; nothing of them can be changed."""

    remarks: tuple[str, ...] = ()

    def __init__(self, runs: Iterable[StoredRun], states: Mapping[str, Snapshot]) -> None:
        self._runs = list(runs)
        self._states = states

    def runs(self) -> list[StoredRun]:
        """Return the runs, the newest first."""
        return self._runs

    def load(self, run: str) -> Snapshot:
        """Return a run's last state."""
        return self._states[run]

    def command(self, run: str) -> str:
        """Return the command line that repeats a run."""
        return command_line(self._states[run])

    def checkpoint(self, run: str) -> Checkpoint:
        """Return nothing that a run could go on from: all have ended."""
        raise KeyError(run)

    def set_note(self, run: str, note: str) -> None:
        """Do nothing."""

    def pin(self, run: str, *, pinned: bool) -> None:
        """Do nothing."""

    def delete(self, run: str) -> None:
        """Do nothing."""

    def undelete(self, run: str) -> None:
        """Do nothing."""


def archive(states: Mapping[str, Any]) -> FrozenArchive:
    """Return the store that the gallery's states hold."""
    return FrozenArchive(states["runs"], states["kept"])
