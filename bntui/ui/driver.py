"""The terminal at the other end: it may go away at any moment, and a shell may want it back."""

import os
import select
import signal
import sys
from collections.abc import Callable
from threading import Thread
from typing import IO, Any, Protocol, cast

import psutil
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from bntui.engine import clock
from bntui.signals import HUNG_UP, write_nowhere_if_hung_up


class Ending(Protocol):
    """What the driver asks of its app."""

    def end_with(self, status: int) -> None:
        """End the app; may be called from any thread."""

    def soon(self, do: Callable[[], object]) -> None:
        """Have something done on the app's thread; may be called from any."""


class FragileDriver(LinuxDriver):
    """Textual's driver, for a terminal that may be gone: the app is then told to end.

    Textual's own has a thread that writes and dies of the first error, after which the app waits for
    it for ever, and another that reads an end of file over and over.
    """

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._ending = cast("Ending", app)
        terminal = sys.__stderr__ if sys.__stderr__ and sys.__stderr__.isatty() else sys.__stdout__
        self._file = cast("Any", _Fragile(cast("IO[str]", terminal), self._lost))
        Thread(target=self._watch, name="bntui-link", daemon=True).start()

    def run_input_thread(self) -> None:
        """Wait for input and dispatch events, until there is no terminal."""
        try:
            super().run_input_thread()
        except OSError:
            self._lost()

    def _watch(self) -> None:
        """Wait for the terminal to hang up: reading from it tells only of an end of file."""
        poll = select.poll()
        poll.register(self.fileno, 0)
        if any(event & select.POLLHUP for _, event in poll.poll()):
            self._lost()

    def _lost(self) -> None:
        write_nowhere_if_hung_up()
        self.exit_event.set()  # of the thread that reads
        self._ending.end_with(HUNG_UP)

    def _sigtstp_application(self, *_: object) -> None:
        """Stop, which returns when the shell continues; that time is none of the run's."""
        with clock.standing_still():
            super()._sigtstp_application()

    def _sigcont_application(self, *_: object) -> None:
        """Take the terminal again: after ctrl+z, and when the process was stopped unasked."""
        if self._must_signal_resume:
            super()._sigcont_application()
        else:
            self._ending.soon(self._begin_again)

    def _begin_again(self) -> None:
        # Textual would begin on top of what is there, and never end the thread that reads.
        self.suspend_application_mode()
        self._must_signal_resume = True
        self.resume_application_mode()


def suspend() -> bool:
    """Stop this process and those started with it, such as make, until the shell continues them.

    Return whether there is a shell for that: over `ssh host bntui` nothing could continue them.
    """
    group = os.getpgrp()
    parents = (one.pid for one in psutil.Process().parents())
    outside = next((pid for pid in parents if os.getpgid(pid) != group), None)
    if outside is None or os.getsid(outside) != os.getsid(0):
        return False
    os.killpg(group, signal.SIGTSTP)
    return True


class _Fragile:
    """A file of which it is `lost` that something can't be written to it."""

    def __init__(self, file: IO[str], lost: Callable[[], object]) -> None:
        self._file = file
        self._lost = lost

    def write(self, text: str) -> None:
        try:
            self._file.write(text)
        except OSError:
            self._lost()

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self._lost()

    def fileno(self) -> int:
        return self._file.fileno()
