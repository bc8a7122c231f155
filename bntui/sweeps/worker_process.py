"""A process that runs one cell after another for the driver that has started it, and ends with it."""

import os
import signal
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from queue import Queue
from threading import Thread
from typing import Any

from bntui.core.run_request import RunRequest
from bntui.machine import libraries
from bntui.machine.device import prepare_environment
from bntui.sweeps.executor import Message
from bntui.sweeps.worker import run_cell

READY = "ready"
"""What the process sends when it can take a cell."""
STOP = "stop"
"""What it is sent so that the run under way ends after its update."""
MOST_WAITING = 4
"""Messages that wait to be sent, at most."""
GONE = 1
"""The exit status after the driver's end."""
_OF_THE_TERMINAL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What the whole group may be sent: it is for the driver to say what ends."""
THREADS_TOLD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""What libraries are told of threads by, before they are loaded."""


def work(descriptor: int, threads: int) -> None:
    """Take cells from a driver until it is gone. `descriptor` is of a pipe to it. Never returns."""
    for number in _OF_THE_TERMINAL:
        signal.signal(number, signal.SIG_IGN)
    os.set_inheritable(descriptor, False)
    driver = _Driver(Connection(descriptor))
    load(threads)
    while True:
        driver.send(READY)
        order = driver.next()
        if order != STOP:
            run, request = order
            driver.run(run, request)


def load(threads: int) -> None:
    """Load torch once, for all cells."""
    prepare_environment()
    with libraries.loading("torch"):
        import torch

        import bntui.train.session  # noqa: F401
    torch.set_num_threads(threads)
    for name in THREADS_TOLD:  # else each run says that its user has set them
        os.environ.pop(name, None)


class _Driver:
    """The other end of the pipe. The process ends when that is gone.

    What is sent waits on a thread of its own, so that training does not wait for a driver that writes.
    """

    def __init__(self, pipe: "Connection[Any, Any]") -> None:
        self._pipe = pipe
        self._order: Any = None
        """What came while a run was under way: perhaps the next one, where that run has just ended."""
        self._waiting: Queue[memoryview] = Queue(MOST_WAITING)
        Thread(target=self._send_waiting, name="bntui-sending", daemon=True).start()

    def send(self, message: object) -> None:
        """Send soon. Waits only where much is waiting."""
        self._waiting.put(ForkingPickler.dumps(message))

    def next(self) -> Any:
        """Wait for what it sends, and return it."""
        order, self._order = self._order, None
        return order or self._receive()

    def run(self, run: str, request: RunRequest) -> None:
        """Run a cell, and send what happens."""

        def send(message: Message) -> None:
            self.send((run, message))

        if not run_cell(run, request, send, self._is_stopping):
            self._waiting.join()
            os._exit(0)  # Python would end the run's thread in the middle of torch

    def _send_waiting(self) -> None:
        while True:
            try:
                self._pipe.send_bytes(self._waiting.get())
            except OSError:
                os._exit(GONE)
            self._waiting.task_done()

    def _is_stopping(self) -> bool:
        if self._order is None and self._pipe.poll():
            self._order = self._receive()
        return bool(self._order == STOP)

    def _receive(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            os._exit(GONE)  # not by an exception: a run may be under way on another thread
