"""The run under way in an explorer, what its user wants of it, and the runs that it replaced."""

import time
from collections.abc import Set
from dataclasses import replace
from typing import Any

from bntui.core.config import Knobs, RunConfig
from bntui.core.run import LEAVE_SECONDS, MakeRun, Run
from bntui.core.run_request import Branch, Follow, New, Purpose, Resume, RunRequest
from bntui.core.snapshot import Phase, Snapshot


class CurrentRun:
    """One run at a time, each in the place of the one before."""

    def __init__(self, make_run: MakeRun, request: RunRequest) -> None:
        """`request` is for the first run; those after it are kept and measured as it asks."""
        self.make_run = make_run
        self._request = request
        self._left_open = request.left_open
        """The settings that a run from its start may still fit to the machine."""
        self.run = make_run(request)
        self.paused = request.paused
        """Whether the user wants the run to wait; it pauses by itself when it is finished."""
        self._replaced: list[Run] = []
        """Runs that were asked to stop, until their threads are joined."""

    @property
    def snapshot(self) -> Snapshot:
        """The run's latest state."""
        return self.run.snapshot

    @property
    def knobs(self) -> Knobs:
        """The knobs that the run was asked for last, applied or not."""
        snapshot = self.snapshot
        return snapshot.wanted or snapshot.knobs

    @property
    def config(self) -> RunConfig:
        """The configuration of the run as it is now, live changes included."""
        return replace(self.snapshot.config, knobs=self.knobs)

    def start(self, *, after: Run | None = None) -> None:
        """Begin to load and then, unless it is to wait, to train; not before `after` has ended."""
        self.run.start(after=after)

    def turn(self, **changes: Any) -> None:
        """Ask for other values of some knobs, from the next update on."""
        self.run.apply(replace(self.knobs, **changes))

    def pause(self, *, paused: bool) -> None:
        """Have the run wait after the update under way, or train on."""
        self.paused = paused
        if paused:
            self.run.pause()
        else:
            self.run.resume()

    def saw(self, before: Snapshot | None, now: Snapshot) -> None:
        """Take note of what the run has done between two of its snapshots."""
        if now.phase is Phase.FINISHED and (before is None or _moved(before, now)):
            self.paused = True

    def choose(self, settings: Set[str]) -> None:
        """Take some settings from the machine, should the run not be loaded yet: they are chosen."""
        self._left_open -= settings

    def replace(
        self,
        config: RunConfig,
        origin: Branch | Resume | Follow | None = None,
        *,
        purpose: Purpose | None = None,
    ) -> Run:
        """Put a new run, not yet started, in the place of the old one, which is stopped and returned.

        It is one from its start, unless it has another `origin`; a branch waits for other knobs. Raises
        ConfigError, and the old one goes on.
        """
        old, paused = self.run, isinstance(origin, Branch)
        left_open = frozenset() if old.snapshot.facts or purpose else self._left_open
        request = self._request.another(config, origin or New(left_open), purpose, paused=paused)
        self.run = self.make_run(request)
        self._left_open = left_open
        self.paused = paused
        old.stop()
        self._replaced = [run for run in (*self._replaced, old) if not run.join(0)]
        return old

    def end(self, *, interrupted: bool) -> bool:
        """Stop every run and wait for the threads; return whether all have ended.

        `interrupted` are runs that their user did not mean to end.
        """
        until = time.monotonic() + LEAVE_SECONDS
        first = self.run.leave(interrupted=interrupted)
        # The others were stopped when they were replaced.
        rest = [run.leave(max(0.0, until - time.monotonic())) for run in self._replaced]
        return first and all(rest)


def _moved(before: Snapshot, now: Snapshot) -> bool:
    """Tell whether something was done between two snapshots, or they are of two runs."""
    return (
        before.config is not now.config
        or before.phase is not now.phase
        or before.update != now.update
    )
