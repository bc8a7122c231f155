"""A program in a pseudo-terminal, and somebody at its keyboard.

What the program writes is taken off the terminal by a thread, each piece with the time it came at, so
that nothing done with it here delays the clock. It becomes a screen only when one is asked for.
"""

import fcntl
import os
import pty
import re
import resource
import select
import signal
import struct
import subprocess
import termios
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Any, Self

import pyte

PATIENCE = 120.0
"""Seconds to wait for a screen; on a busy machine torch alone takes 20 to load."""
ANSWERS = {
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
}
"""What a terminal is asked, and answers: the cursor's place, what it is, synchronised output."""
_INCOMPLETE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[P\]_][^\x07\x1b]*\x1b?)?\Z")
# Questions, keyboard modes and strings: pyte would print them.
_UNKNOWN = re.compile(
    rb"\x1b\[[<=>][0-?]*[ -/]*[@-~]|\x1b\[\?[0-9;]*(?:\$p|u)|\x1b[P\]_][^\x07\x1b]*(?:\x07|\x1b\\)"
)


class Terminal:
    """Runs a command until the `with` block ends; `size` is columns and rows."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], size: tuple[int, int]
    ) -> None:
        self.size = size
        self.sent = 0
        """Bytes that the program has written."""
        self.last = b""
        """The newest of them, for the report of a failure."""
        self.usage: resource.struct_rusage | None = None
        """What the program has used of the machine, once it has ended."""
        self._arrived: deque[tuple[float, bytes]] = deque()
        self._rest = b""
        self._hung_up = False
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._lines = [""] * size[1]
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            command, env=environment, pass_fds=(slave,), preexec_fn=lambda: os.login_tty(slave)
        )
        os.close(slave)
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.usage is None:
            self.send(signal.SIGTERM)
            end = time.monotonic() + 10.0
            while not self._reap(os.WNOHANG):
                if time.monotonic() > end:
                    self.send(signal.SIGKILL)
                time.sleep(0.02)
        self.hang_up()

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._process.pid

    def wait(self, patience: float = PATIENCE) -> int:
        """Wait for the program to end by itself; return its exit code. Raises TimeoutError."""
        end = time.perf_counter() + patience
        while not self._reap(os.WNOHANG):
            if time.perf_counter() > end:
                raise TimeoutError(f"the program did not end, and shows:\n{self.text}")
            time.sleep(0.01)
        self._reader.join(1.0)  # the last bytes
        return self._process.returncode

    def alive(self) -> None:
        """Raise RuntimeError with the last it wrote if the program has ended."""
        if self._reap(os.WNOHANG):
            code, said = self._process.returncode, self.last.decode(errors="replace")
            raise RuntimeError(f"the program ended with {code}:\n{said}")

    def press(self, key: str | bytes) -> float:
        """Press a key, or type what is longer, and return when. Bytes are sent as they are."""
        pressed, rest = time.perf_counter(), key.encode() if isinstance(key, str) else key
        while rest:
            rest = rest[os.write(self._master, rest) :]
        return pressed

    def hang_up(self) -> None:
        """Take the terminal away."""
        if not self._hung_up:
            self._hung_up = True
            self._reader.join()
            os.close(self._master)

    def send(self, number: int) -> None:
        """Send the program a signal."""
        os.kill(self.pid, number)

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size, which sends the program SIGWINCH."""
        self.catch_up()
        self.size = (columns, rows)
        self._screen.resize(rows, columns)
        self._lines = [""] * rows
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def settings(self) -> list[Any]:
        """How the terminal is set, as termios tells it."""
        return termios.tcgetattr(self._master)

    def until(self, seen: Callable[[str], bool]) -> float:
        """Wait until the screen is as asked; return when what made it so arrived.

        Raises TimeoutError with the screen as it is.
        """
        end = time.perf_counter() + PATIENCE
        while time.perf_counter() < end:
            # Before what has arrived is looked at: the last of it may arrive in between.
            over = self._reap(os.WNOHANG) and not self._reader.is_alive()
            if self._arrived:
                arrived, data = self._arrived.popleft()
                self._show(data)
                if seen(self.text):
                    return arrived
            elif over:
                break
            else:
                time.sleep(0.001)
        raise TimeoutError(f"the program never came to show what was waited for:\n{self.text}")

    def catch_up(self) -> bytes:
        """Put on the screen what has arrived so far, and return it."""
        found = b""
        while self._arrived:
            _, data = self._arrived.popleft()
            self._show(data)
            found += data
        return found

    @property
    def text(self) -> str:
        """The screen as it is, line by line."""
        return "\n".join(self._lines)

    def _read(self) -> None:
        with suppress(OSError):  # how Linux tells that the other end is closed
            while not self._hung_up:
                if not select.select([self._master], [], [], 0.05)[0]:
                    continue
                if not (data := os.read(self._master, 1 << 16)):
                    break
                self._arrived.append((time.perf_counter(), data))
                self.sent += len(data)
                self.last = (self.last + data)[-4000:]
                for question, answer in ANSWERS.items():
                    if question in data:
                        os.write(self._master, answer)

    def _show(self, data: bytes) -> None:
        data = self._rest + data
        cut = _INCOMPLETE.search(data)
        end = cut.start() if cut else len(data)
        self._rest = data[end:]
        self._stream.feed(_UNKNOWN.sub(b"", data[:end]))
        columns = range(self.size[0])
        for y in self._screen.dirty & set(range(self.size[1])):  # it may have been higher before
            row = self._screen.buffer[y]
            self._lines[y] = "".join(row[x].data for x in columns)
        self._screen.dirty.clear()

    def _reap(self, options: int) -> bool:
        """Take note of the program's end; return whether it has come."""
        if self.usage is None:
            pid, status, usage = os.wait4(self.pid, options)
            if pid:
                self.usage = usage
                self._process.returncode = os.waitstatus_to_exitcode(status)
        return self.usage is not None
