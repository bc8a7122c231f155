"""What is done in between a script's own steps, so that it can't end or disturb them. Imports no torch."""

import os
from collections.abc import Callable
from threading import RLock
from typing import Any

from bntui.core.text import first_sentence


class Guard:
    """Does what may fail: in the process that is watched, one thread at a time, and until it fails."""

    def __init__(self, when_it_fails: Callable[[], None]) -> None:
        self.trouble = ""
        """Why nothing is done any more."""
        self._when_it_fails = when_it_fails
        self._process = os.getpid()
        self._lock = RLock()

    @property
    def here(self) -> bool:
        """Whether this is the process that is watched: forked ones are not."""
        return os.getpid() == self._process

    def do(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call a function; once it has raised an exception, do nothing for ever after."""
        if self.trouble or not self.here:
            return
        try:
            with self._lock:
                function(*arguments)
        except Exception as error:
            self.trouble = said(error)
            self._when_it_fails()


def said(error: Exception) -> str:
    """Return what an exception is, in a few words."""
    reason = first_sentence(error)
    return f"{type(error).__name__}{': ' * bool(reason)}{reason}"
