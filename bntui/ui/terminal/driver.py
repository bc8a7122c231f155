"""The terminal driver: the terminal may hang up at any moment, and the shell may take it back."""

import errno
import os
import select
import signal
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import IO, Any, Protocol, cast

import psutil
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.geometry import Size

from bntui.machine import clock
from bntui.machine.signals import HUNG_UP, write_nowhere_if_hung_up
from bntui.ui.terminal.typed_input import TypedInput

AS_BEFORE = (
    "\x1b[?2026l\x1b[?2004l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1004l"
    "\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"
)
"""No reports of pasting, the mouse and focus; lines wrap, keys are plain; back to the shell's screen."""
TICK_SECONDS = 0.1
"""How long the thread that reads may take to see that it is to end."""


class Host(Protocol):
    """What the driver asks of its app."""

    terminal: IO[str]
    """What the screen is drawn on."""

    @property
    def ending(self) -> bool:
        """Whether the app was asked to end."""

    def end_with(self, status: int) -> None:
        """End the app; may be called from any thread."""


class TerminalDriver(LinuxDriver):
    """Textual's driver, for a terminal that may be gone, or lent to a shell, at any moment.

    Textual's own has a thread that writes and dies of the first error, after which the app waits for
    it for ever, and another that reads an end of file over and over. It takes the terminal whenever
    the process is continued, also when the app has ended or when it is in the background.
    """

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._host = cast("Host", app)
        self._screen = _TerminalFile(self._host.terminal, self._lost)
        self._file = cast("Any", self._screen)
        self._size = self._size or self._get_terminal_size()
        Thread(target=self._watch, name="bntui-link", daemon=True).start()

    @property
    def taken(self) -> bool:
        """Whether the terminal is the app's now; if not, whatever is written is dropped."""
        return self._writer_thread is not None and self._writer_thread.is_alive()

    def write(self, data: str) -> None:
        """Write to the terminal while the app has it; taking it again draws everything anew."""
        if self.taken:
            super().write(data)

    def start_application_mode(self) -> None:
        """Take the terminal and draw everything anew, once in the foreground: `bntui &`, then `fg`."""
        self._wait_for_the_foreground()
        if not self._host.ending:
            super().start_application_mode()  # type: ignore[no-untyped-call]
            signal.signal(signal.SIGWINCH, self._resized)

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was, if it is taken."""
        if self.taken:
            super().stop_application_mode()
            self.close()

    def disable_input(self) -> None:
        """Stop reading, once: the kernel stops a background process that empties the terminal's input."""
        if self.taken:
            super().disable_input()

    def close(self) -> None:
        """End the thread that writes."""
        if self.taken:
            super().close()

    def give_back(self) -> None:
        """Restore the terminal's settings at once. May be called from any thread, at any time."""
        if self.taken:
            self._screen.closed = True
            if self.attrs_before is not None:
                with suppress(termios.error):
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            os.write(self._screen.fileno(), AS_BEFORE.encode())

    def run_input_thread(self) -> None:
        """Wait for input and dispatch events, until there is no terminal."""
        typed, last = TypedInput(), time.monotonic()
        with suppress(RuntimeError):  # the loop is closed: the app is over
            while not self.exit_event.is_set():
                wait = TICK_SECONDS if typed.patience is None else min(typed.patience, TICK_SECONDS)
                try:
                    ready = select.select([self.fileno], [], [], wait)[0]
                    data = os.read(self.fileno, 4096) if ready else b""
                except OSError:
                    data, ready = b"", [self.fileno]
                if ready and not data:
                    self._lost()
                    return
                if ready:
                    last = time.monotonic()
                    for message in typed.feed(data):
                        self.process_message(message)
                elif typed.patience is not None and time.monotonic() - last >= typed.patience:
                    for message in typed.give_up():
                        self.process_message(message)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Return columns and rows as the terminal tells them; one that does not know tells 0."""
        columns = rows = 0
        with suppress(OSError):
            columns, rows = os.get_terminal_size(self._screen.fileno())
        return columns or 80, rows or 24

    def _query_in_band_window_resize(self) -> None:
        """Do not ask for sizes in the input, where anybody can type them."""

    def _watch(self) -> None:
        """Wait for the terminal to hang up: reading from it tells only of an end of file."""
        poll = select.poll()
        poll.register(self.fileno, 0)
        if any(event & select.POLLHUP for _, event in poll.poll()):
            self._lost()

    def _lost(self) -> None:
        write_nowhere_if_hung_up()
        self.exit_event.set()  # of the thread that reads
        self._host.end_with(HUNG_UP)

    def _resized(self, *_: object) -> None:
        """Have the loop ask for the size.

        A handler that asked for it, as Textual's does, and was interrupted by the next signal would
        tell the older size last.
        """
        with suppress(RuntimeError):  # the loop is closed: the app is over
            self._loop.call_soon_threadsafe(self._take_size)

    def _take_size(self) -> None:
        size = Size(*self._get_terminal_size())
        self._app.post_message(Resize(size, size))
        # If it changed and changed back, Textual sees no change, but the terminal has lost its screen.
        self._app.post_message(self.SignalResume())

    def stop_all(self) -> None:
        """Stop this process and those started with it, such as make, until a shell continues them."""
        self._stop(
            lambda: _by_default(signal.SIGTSTP, lambda: os.killpg(os.getpgrp(), signal.SIGTSTP))
        )

    def _sigtstp_application(self, *_: object) -> None:
        """Stop when the loop has time for it: a handler may have interrupted a write."""
        try:
            self._loop.call_soon_threadsafe(self._stop)
        except RuntimeError:  # the loop is closed: the terminal was given back
            _stop_alone()

    def _sigcont_application(self, *_: object) -> None:
        """Take the terminal again after another process stopped this one: the shell had it meanwhile."""
        if self.taken:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._begin_again)

    def _stop(self, stop: Callable[[], object] | None = None) -> None:
        """Give the terminal back and stop; go on when continued. The run's clock stands still meanwhile."""
        taken = self.taken
        self.stop_application_mode()
        with clock.standing_still():
            (stop or _stop_alone)()
        if taken:
            self._must_signal_resume = True
            self.start_application_mode()

    def _begin_again(self) -> None:
        # Textual would begin on top of what is there, and never end the thread that reads.
        if self.taken and not self._host.ending:
            self._stop(lambda: None)

    def _wait_for_the_foreground(self) -> None:
        """Wait to be in the foreground: until then the kernel stops a process that sets the terminal."""
        with clock.standing_still():
            while not self._host.ending:
                try:
                    _by_default(signal.SIGTTOU, self._set_as_it_is)
                except termios.error as error:
                    if error.args[0] == errno.EINTR:  # a signal; whoever takes it may end the app
                        continue
                    self._lost()
                return

    def _set_as_it_is(self) -> None:
        termios.tcsetattr(self.fileno, termios.TCSANOW, termios.tcgetattr(self.fileno))


def can_stop() -> bool:
    """Return whether there is a shell that could continue this process.

    Over `ssh host bntui` there is none.
    """
    group = os.getpgrp()
    parents = (one.pid for one in psutil.Process().parents())
    outside = next((pid for pid in parents if os.getpgid(pid) != group), None)
    return outside is not None and os.getsid(outside) == os.getsid(0)


def _stop_alone() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _by_default(number: int, do: Callable[[], object]) -> None:
    """Do something while a signal has the effect that it has in any program."""
    before = signal.signal(number, signal.SIG_DFL)
    try:
        do()
    finally:
        signal.signal(number, before)


class _TerminalFile:
    """A file that calls `lost` when it can't be written to; once `closed`, it drops what is written."""

    def __init__(self, file: IO[str], lost: Callable[[], object]) -> None:
        self._file = file
        self._lost = lost
        self.closed = False

    def write(self, text: str) -> None:
        if self.closed:
            return
        try:
            self._file.write(text)
        except (OSError, ValueError):  # ValueError: the file is closed
            self._lost()

    def flush(self) -> None:
        if self.closed:
            return
        try:
            self._file.flush()
        except (OSError, ValueError):
            self._lost()

    def fileno(self) -> int:
        return self._file.fileno()
