"""How a command without a screen ends what runs, also after a signal that asks for it."""

import os
import sys
from typing import NoReturn, Protocol

from bntui.core.run import LEAVE_SECONDS
from bntui.machine.signals import BY_USER, SAVE_SECONDS, end_anyway


class Leaves(Protocol):
    """A run or a sweep that goes on beside the main thread."""

    def leave(self, timeout: float, *, interrupted: bool = False) -> bool:
        """End it, and keep what there is; return whether it has ended within so many seconds."""


class Ending:
    """Ends one of them once."""

    def __init__(self, running: Leaves) -> None:
        self.status = 0
        """The exit status that the first signal has asked for; 0 while none has."""
        self._running = running

    def ask(self, status: int) -> None:
        """Take note of a signal; should the end take long, the process ends anyway."""
        if not self.status:
            self.status = status
            end_anyway(status, lambda: self.leave(SAVE_SECONDS / 2))

    def leave(self, timeout: float = LEAVE_SECONDS) -> bool:
        """End what runs; return whether it has ended in time."""
        return self._running.leave(timeout, interrupted=self.status not in {0, BY_USER})


def exit_at_once(status: int) -> NoReturn:
    """End the process though a thread is in the middle of something, for which Python would wait.

    In the middle of torch it would also abort the process.
    """
    sys.stdout.flush()
    os._exit(status)
