"""The runs of one explorer: the one under way, and those before it until their threads have ended."""

import time
from collections.abc import Set

from bntui.core.config import RunConfig
from bntui.core.run import LEAVE_SECONDS, MakeRun, Purpose, Run
from bntui.core.snapshot import Checkpoint


class Succession:
    """One run at a time, each in the place of the one before."""

    def __init__(
        self,
        make_run: MakeRun,
        config: RunConfig,
        left_open: frozenset[str],
        begin: Checkpoint | None,
    ) -> None:
        """`left_open` names the settings of `config` that the machine may choose.

        `begin` is the checkpoint of a run to resume, instead of beginning one with `config`.
        """
        self.make_run = make_run
        self._left_open = left_open
        self.run = (
            make_run(begin.config, frozenset(), begin, True, None)
            if begin
            else make_run(config, left_open, None, False, None)
        )
        """The one under way."""
        self._ending: list[Run] = []
        """Runs that were asked to stop, until their threads are joined."""

    def choose(self, settings: Set[str]) -> None:
        """Take some settings from the machine, should the run not be loaded yet: they are chosen."""
        self._left_open -= settings

    def replace(
        self,
        config: RunConfig,
        begin: Checkpoint | None,
        *,
        resume: bool,
        purpose: Purpose | None,
    ) -> Run:
        """Put a new run, not yet started, in the place of the old one, which is stopped and returned.

        It may branch off a checkpoint, resume, or have a purpose. Raises ConfigError, and the old one
        goes on.
        """
        old = self.run
        left_open = frozenset() if old.snapshot.facts or purpose else self._left_open
        open_here = frozenset() if begin else left_open
        self.run = self.make_run(config, open_here, begin, resume, purpose)
        self._left_open = left_open
        old.stop()
        self._ending = [run for run in (*self._ending, old) if not run.join(0)]
        return old

    def end(self, *, unasked: bool) -> bool:
        """Stop every run and wait for the threads; return whether all have ended.

        `unasked` tells that the user did not mean to end them.
        """
        until = time.monotonic() + LEAVE_SECONDS
        first = self.run.leave(interrupted=unasked)
        # The others were stopped when they were replaced.
        rest = [run.leave(max(0.0, until - time.monotonic())) for run in self._ending]
        return first and all(rest)
