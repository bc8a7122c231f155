"""What was seen of a watched training, as snapshots that are kept: the work of a thread of its own.

The training's thread only hands over what it saw. Values are read from the device here, and written to the
store at most `PAUSE` seconds later, also while no update comes; where the process forks, once it trains on.
"""

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread
from typing import Protocol

from torch import Tensor

from bntui.core.config import RunConfig
from bntui.core.measured import Recalibration, Validation
from bntui.core.run import Command, Recorder
from bntui.core.snapshot import Divergence, Mark, Phase, RunFacts, Snapshot
from bntui.core.thinned import Thinned
from bntui.core.watched import Watched
from bntui.measure.hindsight import Moment, Moments
from bntui.measure.histories import Histories
from bntui.measure.validation import HINDSIGHT_NAMES
from bntui.probe.watching.forked import paused_when_forking
from bntui.store.recorder import AGAIN

PAUSE = 0.4
"""Seconds between two snapshots."""
END_SECONDS = 10.0
"""How long the end of a training waits for the last snapshot to be kept."""
PAUSE_SECONDS = 1.0
"""How long a fork waits for what is being kept."""
MOST_PAST = 16
"""Validations that are kept with every channel, at most: an even number."""


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """One update, with the losses that led to it: their gradients add up, so of several it is the sum.

    Who accumulates gradients of k batches divides each loss by k, as the libraries do.
    """

    number: int
    seconds: float
    """Since watching began."""
    share: float = 0.0
    """Of them, those that watching has taken."""
    losses: tuple[Tensor, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """What the user's code says of itself; NaN and 0 for what it doesn't."""

    update: int
    loss: float | Tensor = math.nan
    accuracy: float | Tensor = math.nan
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Replaced:
    """Running statistics were replaced by fresh ones."""

    what: Recalibration


Seen = Update | Logged | Validation | Moment | Watched | Replaced


class Requests(Recorder, Protocol):
    """A recorder that others can leave requests with: `store.recorder.StoreRecorder`."""

    def requested(self) -> tuple[Command, ...]:
        """Return what was asked since the last call."""
        ...


class Writer:
    """Keeps one watched training, from `start` to `close`."""

    def __init__(
        self,
        recorder: Requests | None,
        config: RunConfig,
        facts: RunFacts,
        watched: Watched,
        *,
        distance: bool,
        ask: Callable[[Command], None] = lambda _: None,
    ) -> None:
        """Get ready; `distance` tells whether moments are distances, as without validation data.

        `ask` is called on the writer's thread with what somebody who is attached asks for.
        """
        self._recorder = recorder
        self._ask = ask
        self._seen: deque[Seen] = deque()
        self._histories = Histories()
        self._histories.journal = [] if recorder else None
        self._moments = Moments(HINDSIGHT_NAMES, distance=distance)
        self._past = Thinned[Validation](MOST_PAST)
        self._logs_loss = False
        self._samples = 0
        """Those that the last moment was measured on."""
        self.snapshot = Snapshot(
            phase=Phase.RUNNING,
            run=recorder.run if recorder else "",
            config=config,
            knobs=config.knobs,
            facts=facts,
            watched=watched,
        )
        """The latest state; swapped whole."""
        self._turn = Lock()
        """Held while it is decided whether there is a thread."""
        self._ending = Event()
        self._thread: Thread | None = None
        """None once it has found that it is to end."""
        self._started = self._closed = False
        self._due = 0.0
        """When the next snapshot is."""
        self._patience = PAUSE_SECONDS
        """How long a fork waits for the thread's end; not at all once that has been too short."""

    @property
    def unkept(self) -> str:
        """Why the training was not kept to its end, in one sentence; empty where it is, or where it is not to be."""
        return self._recorder.problem.replace(AGAIN, "") if self._recorder else ""

    def start(self) -> None:
        """Begin to keep the training. Where no thread can be had it is kept at its end."""
        paused_when_forking(self)
        self._started = True
        self._begin()

    def pause(self) -> None:
        """Keep nothing until more is seen, on no thread.

        Waits for what is being kept, unless that has taken too long before.
        """
        with self._turn:
            thread = self._thread
            self._ending.set()
        if thread:
            thread.join(self._patience)
            if thread.is_alive():
                self._patience = 0.0

    def see(self, *seen: Seen) -> None:
        """Take what was seen, to be shown together; of what is of an update, the updates must not fall.

        Any thread.
        """
        self._seen.extend(seen)
        if self._started and (self._thread is None or self._ending.is_set()):
            self._begin()

    def close(self, phase: Phase, message: str = "") -> None:
        """Take what is left, and end the recording."""
        with self._turn:
            self._closed = True
            thread = self._thread
            self._ending.set()
        if thread:
            thread.join(END_SECONDS)
            if thread.is_alive():  # the store does not answer: what is complete there stays
                return
        with contextlib.suppress(Exception):  # as below
            self._publish(phase, message)
            if self._recorder:
                self._recorder.close(self.snapshot)

    def _begin(self) -> None:
        """Have a thread that goes on, unless all is over."""
        with self._turn:
            if self._closed:
                return
            self._ending.clear()
            if self._thread:
                return
            thread = Thread(target=self._run, name="bntui-watch", daemon=True)
            with contextlib.suppress(RuntimeError):  # too many threads, or Python is at its end
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        self._due = self._due or time.monotonic() + PAUSE
        while True:
            asked = self._ending.wait(max(0.0, self._due - time.monotonic()))
            # What is due is kept before the end, too: else never where the process forks all the time.
            if time.monotonic() >= self._due and not self._closed:
                with contextlib.suppress(Exception):  # keeping may fail; the training goes on
                    self._publish(Phase.RUNNING)
                    for command in self._recorder.requested() if self._recorder else ():
                        self._ask(command)
                self._due = time.monotonic() + PAUSE
            if asked and self._ends():
                return

    def _ends(self) -> bool:
        """Tell whether the thread is still to end; then there is none from now on."""
        with self._turn:
            if self._ending.is_set():
                self._thread = None
            return self._thread is None

    def _publish(self, phase: Phase, message: str = "") -> None:
        """Build a snapshot of all that was seen, and hand it to the recorder."""
        snapshot = replace(self.snapshot, phase=phase, message=message)
        last: Update | None = None
        while self._seen:
            seen = self._seen.popleft()
            if isinstance(seen, Update):
                last, snapshot = seen, self._updated(seen, snapshot)
            else:
                snapshot = self._take(seen, snapshot)
        if last:
            snapshot = _after(last, snapshot)
        snapshot = replace(
            snapshot,
            series=self._histories.views(),
            hindsight=self._moments.view(self._samples) if self._moments else None,
            past=tuple(self._past.items),
        )
        self.snapshot = snapshot
        if self._recorder:
            journal, self._histories.journal = self._histories.journal or [], []
            self._recorder.record(snapshot, journal)
            if self._recorder.problem:
                self.snapshot = replace(snapshot, message=self._recorder.problem)

    def _take(
        self, seen: Logged | Validation | Moment | Watched | Replaced, snapshot: Snapshot
    ) -> Snapshot:
        """Add one thing that was seen to the histories, and return the snapshot with it."""
        match seen:
            case Logged():
                return self._logged(seen, snapshot)
            case Validation():
                self._histories.append_validation(seen, whole=False)
                self._past.append(seen)
                return replace(snapshot, validation=seen)
            case Moment():
                self._moments.append(seen)
                self._samples = seen.gains[0].images if seen.gains else 0
                return snapshot
            case Watched():
                return replace(snapshot, watched=replace(seen, share=snapshot.observed_share))
            case Replaced(what):
                mark = Mark(what.update, "recalibrated", "recalibrate")
                return replace(
                    snapshot,
                    recalibration=what,
                    recalibrated=what,
                    marks=(*snapshot.marks, mark),
                )

    def _updated(self, update: Update, snapshot: Snapshot) -> Snapshot:
        self._histories.append("seconds", update.number, update.seconds)
        if self._logs_loss or not update.losses:
            return snapshot
        return self._with_loss(update.number, sum(map(float, update.losses)), snapshot)

    def _logged(self, logged: Logged, snapshot: Snapshot) -> Snapshot:
        loss, accuracy = float(logged.loss), float(logged.accuracy)
        if isinstance(logged.loss, Tensor) or not math.isnan(loss):
            self._logs_loss = True
            snapshot = self._with_loss(logged.update, loss, snapshot)
        if isinstance(logged.accuracy, Tensor) or not math.isnan(accuracy):
            self._histories.append_training("acc", logged.update, accuracy)
        return replace(snapshot, epoch=logged.epoch or snapshot.epoch)

    def _with_loss(self, update: int, loss: float, snapshot: Snapshot) -> Snapshot:
        self._histories.append_training("loss", update, loss)
        if math.isfinite(loss) or snapshot.divergence:
            return snapshot
        return replace(snapshot, divergence=Divergence(update, "loss"))


def _after(update: Update, snapshot: Snapshot) -> Snapshot:
    """Return a snapshot as of the last update that was seen."""
    watched = snapshot.watched and replace(snapshot.watched, share=update.share)
    return replace(
        snapshot,
        update=update.number,
        seconds=update.seconds,
        observed_share=update.share,
        watched=watched,
    )
