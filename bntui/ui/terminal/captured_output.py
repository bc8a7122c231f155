"""Captures standard output and error while the explorer has the terminal, and writes them afterwards.

A library in C may write there at any time, and its text would stand over the screen.
"""

import fcntl
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import IO

from bntui.core.text import literal

KEPT_BYTES = 1 << 16
"""Bytes that are kept to be written afterwards."""
BURST_SECONDS = 0.2
"""Lines that arrive within this time become one notice."""
PAUSE_SECONDS = 5.0
"""Between two notices, at least: a library may write a line for every update."""
END_SECONDS = 0.5
"""How long to wait for the end of the pipe: a child process that lives on may keep it open."""
_FREE = 10
"""A descriptor is taken from here on, where nobody expects standard output."""


@contextmanager
def captured_output(tell: Callable[[str], object]) -> Iterator[IO[str]]:
    """Yield the terminal as a file; within the block nothing else writes to it.

    What is written to standard output and error, as far as they are the terminal, is passed to `tell`
    from another thread, and written to standard error after the block. Raises OSError if standard
    output is closed.
    """
    for closed in filter(_is_closed, (1, 2)):  # or a file would be opened there, and written to
        os.dup2(os.open(os.devnull, os.O_WRONLY), closed)
    screen = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, _FREE)
    taken = [one for one in (1, 2) if os.path.sameopenfile(one, screen)]
    read_end, write_end = os.pipe()
    # A write that waits would hold the interpreter's lock, which the reader needs.
    os.set_blocking(write_end, False)
    reader = _PipeReader(read_end, tell)
    reader.start()
    for one in taken:
        os.dup2(write_end, one)
    os.close(write_end)
    terminal = open(screen, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    try:
        yield terminal
    finally:
        for stream in (sys.__stdout__, sys.__stderr__, terminal):
            with suppress(OSError, AttributeError):
                stream.flush()  # type: ignore[union-attr]
        for one in taken:
            os.dup2(screen, one)
        with suppress(OSError):  # the terminal is gone, and something was still to be written
            terminal.close()
        os.close(screen)
        reader.join(END_SECONDS)
        with suppress(OSError, AttributeError):
            sys.__stderr__.write(reader.all)  # type: ignore[union-attr]
            sys.__stderr__.flush()  # type: ignore[union-attr]


def _is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


def notice(text: str) -> str:
    """Return the sentence that tells what a library wrote."""
    first, *more = filter(None, map(str.strip, text.splitlines()))
    lines = f" (and {len(more)} more lines)" if more else ""
    return f"a library wrote: {first}{lines}; it is printed again after q."


class _PipeReader(Thread):
    """Reads a pipe to its end, and passes on what arrives, a burst at a time."""

    def __init__(self, pipe: int, tell: Callable[[str], object]) -> None:
        super().__init__(name="bntui-output", daemon=True)
        self._pipe = pipe
        self._tell = tell
        self._kept = b""
        self._lost = 0

    @property
    def all(self) -> str:
        """What has arrived, line by line, fit to be shown."""
        text = "\n".join(map(literal, self._kept.decode(errors="replace").splitlines()))
        lost = f"\n… and {self._lost:,} more bytes" if self._lost else ""
        return f"{text}{lost}\n" if text else ""

    def run(self) -> None:
        untold, due = b"", 0.0
        while True:
            wait = max(0.0, due - time.monotonic()) if untold else None
            if not select.select([self._pipe], [], [], wait)[0]:
                if untold.strip():
                    self._tell(untold.decode(errors="replace"))
                untold, due = b"", time.monotonic() + PAUSE_SECONDS
            elif data := os.read(self._pipe, KEPT_BYTES):
                due = due if untold else max(due, time.monotonic() + BURST_SECONDS)
                untold = (untold + data)[:KEPT_BYTES]
                room = KEPT_BYTES - len(self._kept)
                self._kept += data[:room]
                self._lost += max(0, len(data) - room)
            else:
                break
        os.close(self._pipe)
