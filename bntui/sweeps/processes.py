"""Runs cells in processes of this machine, which live as long as the sweep: torch is loaded once in each."""

import os
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, Pipe, wait
from signal import Signals
from tempfile import TemporaryFile
from typing import IO, Any

from bntui.core.run_request import Branch, Resume, RunRequest
from bntui.core.text import ConfigError, first_sentence
from bntui.machine.places import temporary_folder
from bntui.sweeps.executor import Ended, Lost, Message, received
from bntui.sweeps.worker_process import READY, STOP, THREADS_TOLD

END_SECONDS = 1.0
"""How long `close` waits for the processes before it kills them."""
MOST_FAILED_STARTS = 2
"""Processes in succession that ended before they could take a cell, after which none is started any more."""
_CODE = (
    "import sys; descriptor, threads, *sys.path = sys.argv[1:]; "
    "from bntui.sweeps.worker_process import work; work(int(descriptor), int(threads))"
)
_WAY_OUT = "end other programs, or give fewer --jobs."
_SAID_BYTES = 4000


class Processes:
    """The `Executor` of one machine."""

    def __init__(self, jobs: int, threads: int) -> None:
        """Run so many cells at once, each with so many CPU threads."""
        self.workers = _counted(jobs, "process", "es") + " of " + _counted(threads, "thread")
        self._jobs = jobs
        self._threads = threads
        self._processes: list[_Process] = []
        self._messages: deque[tuple[str, Message]] = deque()
        """What was found out beside what came."""
        self._failed: list[str] = []
        """Of the last processes in succession, why they could not start."""

    def free(self) -> int:
        """Return how many more cells can begin now."""
        return self._jobs - sum(one.run != "" for one in self._processes)

    def begin(self, run: str, request: RunRequest) -> None:
        """Begin a cell in a process that has none, or in a new one. Raises ConfigError if none can be started."""
        process = next((one for one in self._processes if not one.run), None) or self._start()
        process.begin(run, portable(request))

    def receive(self, timeout: float) -> list[tuple[str, Message]]:
        """Return what came from the cells' runs, in order; waits so many seconds at most for the first."""
        return received(self._messages, self._take_all, timeout)

    def stop(self) -> None:
        """Ask all that is under way to stop after its update: each then sends `Ended`."""
        for process in self._processes:
            if not process.stop():
                self._messages.append((process.run, Lost("the sweep ended before it began")))
                process.run = ""

    def close(self) -> None:
        """End all processes, whether they have stopped or not."""
        for process in self._processes:
            process.pipe.close()  # which ends it
        until = time.monotonic() + END_SECONDS
        for process in self._processes:
            process.end(until - time.monotonic())
        self._processes = []

    def _take_all(self, seconds: float) -> None:
        wait([one.pipe for one in self._processes], seconds)
        for process in list(self._processes):
            self._take(process)

    def _start(self) -> "_Process":
        why = self._failed[-1] if len(self._failed) >= MOST_FAILED_STARTS else ""
        try:
            if not why:
                self._processes.append(_Process(self._threads))
        except (OSError, MemoryError) as error:
            why = first_sentence(error) or type(error).__name__
        if why:
            raise ConfigError(f"no process can be started to train in ({why}): {_WAY_OUT}")
        return self._processes[-1]

    def _take(self, process: "_Process") -> None:
        """Take all that a process has sent, and notice its end."""
        try:
            while process.pipe.poll():
                message = process.pipe.recv()
                if message == READY:
                    self._failed.clear()
                    process.is_ready()
                    continue
                self._messages.append(message)
                if isinstance(message[1], Ended):
                    process.run = ""
            if process.is_alive():
                return
        except (EOFError, OSError):
            pass
        self._bury(process)

    def _bury(self, process: "_Process") -> None:
        self._processes.remove(process)
        process.pipe.close()
        why = process.end(END_SECONDS)
        if not process.ready:
            self._failed.append(why)
        if process.run:
            self._messages.append((process.run, Lost(f"the process that ran it {why}")))


class _Process:
    """One of them, as its driver has it."""

    def __init__(self, threads: int) -> None:
        """Start it. Raises OSError."""
        self.run = ""
        """The id of the cell's run that it has; empty while it has none."""
        self.ready = False
        """Whether it could start."""
        self._waiting: tuple[str, RunRequest] | None = None
        """What it is to begin as soon as it is ready."""
        self._errors: IO[bytes] = TemporaryFile(dir=temporary_folder())  # noqa: SIM115 - closed at the end
        self.pipe: Connection[Any, Any]
        self.pipe, other = Pipe()
        told = dict.fromkeys(THREADS_TOLD, str(threads))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _CODE, str(other.fileno()), str(threads), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                env=os.environ | told,
                pass_fds=[other.fileno()],
            )
        except BaseException:
            self.pipe.close()
            self._errors.close()
            raise
        finally:
            other.close()

    def begin(self, run: str, request: RunRequest) -> None:
        """Have it begin a cell once it is ready."""
        self.run, self._waiting = run, (run, request)
        if self.ready:
            self.is_ready()

    def is_ready(self) -> None:
        """Send what waits for it."""
        self.ready = True
        if self._waiting:
            self._send(self._waiting)
            self._waiting = None

    def stop(self) -> bool:
        """Ask its run to stop; return False if that had not begun."""
        if self._waiting:
            self._waiting = None
            return False
        if self.run:
            self._send(STOP)
        return True

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self, timeout: float) -> str:
        """Wait for its end, or kill it; return how it ended."""
        try:
            status = self._process.wait(max(0.0, timeout))
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        said = self._said()
        self._errors.close()
        if status < 0:
            return f"was killed (signal {-status}, {_name(-status)})"
        return f"ended with status {status}{f' ({said})' if said else ''}"

    def _said(self) -> str:
        """Return the last line that it has written."""
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - _SAID_BYTES))
        lines = self._errors.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _send(self, order: object) -> None:
        with suppress(OSError):  # it is gone, which the next `receive` tells
            self.pipe.send(order)


def _counted(number: int, what: str, more: str = "s") -> str:
    return f"{number:,} {what}{more if number > 1 else ''}"


def _name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return "unknown"


def portable(request: RunRequest) -> RunRequest:
    """Return a request whose checkpoint is in memory: where it lies is known to this process alone."""
    if isinstance(request.origin, Resume | Branch):
        checkpoint = request.origin.checkpoint
        content = replace(checkpoint, state=checkpoint.content())
        return replace(request, origin=replace(request.origin, checkpoint=content))
    return request
