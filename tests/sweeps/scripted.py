"""An executor that does what a test says, in place of processes."""

from collections import deque
from dataclasses import replace
from pathlib import Path
from threading import Condition

from bntui.core.config import RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.sweep import Axis, Cell, Design
from bntui.core.text import ConfigError
from bntui.store.database import Store
from bntui.store.rows import StoredRun
from bntui.sweeps.driver import Driver
from bntui.sweeps.executor import Ended, Lost, Message, Progress
from tests.store.recorded import checkpoint, journal, state
from tests.sweeps.tiny import SECONDS

DESIGN = Design(RunConfig(width=0.25), (Axis("batch_size", (16, 32, 64)),), (0,))
ONE, TWO, THREE = DESIGN.cells()


class Scripted:
    """Begins cells and waits for what a test has their runs send."""

    def __init__(self, jobs: int = 1) -> None:
        self.workers = "1 script"
        self.jobs = jobs
        self.requests: list[tuple[str, RunRequest]] = []
        """All that were begun, in order."""
        self.refuses = ""
        """Why nothing can be begun, if so."""
        self.answers = True
        """Whether what is under way ends when it is to stop."""
        self.stopped = self.closed = False
        self._under_way: set[str] = set()
        self._messages: deque[tuple[str, Message]] = deque()
        self._changed = Condition()

    def free(self) -> int:
        return self.jobs - len(self._under_way)

    def begin(self, run: str, request: RunRequest) -> None:
        if self.refuses:
            raise ConfigError(self.refuses)
        with self._changed:
            self._under_way.add(run)
            self.requests.append((run, request))
            self._changed.notify_all()

    def receive(self, timeout: float) -> list[tuple[str, Message]]:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._messages), timeout)
            messages = list(self._messages)
            self._messages.clear()
            return messages

    def stop(self) -> None:
        self.stopped = True
        for run in self._under_way.copy() if self.answers else ():
            self.send(run, Lost("it was stopped"))

    def close(self) -> None:
        self.closed = True

    def begun(self, count: int) -> tuple[str, RunRequest]:
        """Wait until so many were begun in all, and return the last of them."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, SECONDS)
            assert len(self.requests) == count
            return self.requests[-1]

    def send(self, run: str, *messages: Message) -> None:
        """Have a run send something."""
        with self._changed:
            self._messages += [(run, message) for message in messages]
            if any(isinstance(message, Ended | Lost) for message in messages):
                self._under_way.discard(run)
            self._changed.notify_all()


def progress(cell: Cell, update: int, *, kept: bool = False) -> Progress:
    """Return that a cell's run is at an update, where it has made a checkpoint if it is `kept`."""
    snapshot = seen(cell, update)
    if kept:
        moment = replace(checkpoint(update, b"state", cell.id), config=cell.config)
        snapshot = replace(snapshot, checkpoints=(moment,))
    return Progress(snapshot, journal([update]))


def seen(cell: Cell, update: int, phase: Phase = Phase.RUNNING, message: str = "") -> Snapshot:
    """Return the state of a cell's run."""
    knobs = cell.config.knobs
    return state(update, config=cell.config, knobs=knobs, phase=phase, message=message)


def finished(cell: Cell) -> tuple[Message, ...]:
    """Return the messages of a run that trains to its end at once."""
    return progress(cell, 40), Ended(seen(cell, 40, Phase.FINISHED))


def failed(cell: Cell) -> tuple[Message, ...]:
    """Return the messages of a run that fails in training."""
    return progress(cell, 5), Ended(seen(cell, 5, Phase.FAILED, "no such luck"))


def stored(path: Path, cell: Cell) -> StoredRun:
    with Store(path) as store:
        return store.run(cell.id)


def stored_updates(path: Path) -> dict[str, int]:
    """Return how far each run is that is kept."""
    with Store(path) as store:
        return {run.id: run.updates for run in store.runs()}


def driver(path: Path, executor: Scripted, design: Design = DESIGN, **how: bool) -> Driver:
    """Return a driver that was started."""
    led = Driver(path, "sweep-1", design, executor, **how)
    led.start()
    return led
