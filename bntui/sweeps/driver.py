"""Runs the cells of a sweep: claims them in the store, has them run, and writes there what comes back.

All of it is on one thread, which alone uses the executor and the recorders. Any number of drivers, in as many
processes, can share a store: each cell is claimed by one of them.
"""

import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread

from bntui.core.run import LEAVE_SECONDS
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.sweep import Cell, Design
from bntui.core.text import ConfigError
from bntui.store.claims import Claim, claim
from bntui.store.recorder import AGAIN
from bntui.store.schema import StoreError
from bntui.store.sweep_cells import over
from bntui.sweeps.executor import Executor, Lost, Message, Progress, Reported
from bntui.sweeps.sender import whole

LOOK_SECONDS = 1.0
"""How often cells that others have are looked at, and one that could not be begun is tried again."""
WAIT_SECONDS = 0.25
"""How long it takes at most to notice that the sweep is left."""
MOST_LOSSES = 3
"""Times in succession that a cell is begun again after its worker died, without a checkpoint in between."""
WRITING_SHARE = 0.2
"""Of this thread's time, what writing the checkpoints of all cells may take: no training waits for it."""
STOP_SHARE = 0.8
"""Of the time that leaving may take: how long cells are waited for that stop."""
GIVE_UP_SECONDS = 30.0
"""How long a store that can't be used is tried again while nothing is under way."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a cell has failed."""

    cell: Cell
    message: str
    """One sentence."""
    traceback: str
    """Of a bug; else empty."""


@dataclass(slots=True)
class _Underway:
    """A cell that was begun."""

    cell: Cell
    claim: Claim
    snapshot: Snapshot
    """Its last."""

    @property
    def begun_at(self) -> int:
        """The update that it goes on from."""
        checkpoint = self.claim.request.checkpoint
        return checkpoint.update if checkpoint else 0

    def close(self, phase: Phase, message: str = "") -> None:
        """End its recording, and give it back."""
        message = message or self.snapshot.message
        self.claim.close(replace(self.snapshot, phase=phase, message=message))


class Driver:
    """The real `core.sweep.SweepLead`."""

    def __init__(
        self,
        path: Path,
        name: str,
        design: Design,
        executor: Executor,
        *,
        retry_failed: bool = False,
    ) -> None:
        """Run what is left of the sweep `name`, in the store at `path`."""
        self.message = ""
        self.over = False
        self.failure = ""
        self.failures: tuple[Failure, ...] = ()
        """Of the cells that this driver has run."""
        self.retrying = frozenset(one.id for one in design.cells() if retry_failed)
        self._path = path
        self._note = f"sweep {name}"
        self._executor = executor
        self._retry_failed = retry_failed
        self._left = {cell.id: cell for cell in design.cells()}
        """What is neither over, as far as is known, nor under way here."""
        self._to_claim: deque[Cell] = deque()
        """Of what is left, what was not tried to be claimed since the last look at the store."""
        self._look_due = 0.0
        self._begin_due = 0.0
        """When a cell can be begun again, after one could not."""
        self._under_way: dict[str, _Underway] = {}
        self._losses: dict[str, tuple[int, int]] = {}
        """Of a cell whose worker died: how often in succession, and from which update it had begun."""
        self._event = ""
        """The last thing that happened and is worth a sentence."""
        self._refused = ""
        """Why the last cell that was to begin could not."""
        self._trouble = ""
        """Why the store can't be used at the moment."""
        self._unable = 0.0
        """Since when that is so; 0 while it can be used."""
        self._unkept = False
        """Whether the store has not taken how a cell ended, nor anything since."""
        self._leaving = Event()
        self._leave_seconds = LEAVE_SECONDS
        self._thread = Thread(target=self._run, name="bntui-sweep", daemon=True)

    @property
    def workers(self) -> str:
        """With what it works at the moment."""
        return self._executor.workers

    def start(self) -> None:
        """Begin, on a thread of its own."""
        try:
            self._thread.start()
        except RuntimeError:
            self.failure = "no thread can be started to run the sweep: end other programs, or raise `ulimit -u`."
            self.over = True

    def leave(self, timeout: float, *, interrupted: bool = False) -> bool:
        """End: cells under way are kept to go on later. Return whether all has ended."""
        self._leave_seconds = timeout
        self._leaving.set()
        return self.join(timeout)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for its end; return whether it has ended."""
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    # Everything below runs on the driver's own thread.

    def _run(self) -> None:
        try:
            self._work()
            if self._under_way:
                self._stop()
        except ConfigError as error:
            self.failure = str(error)
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._executor.close()
            for one in self._under_way.values():
                one.close(Phase.INTERRUPTED)
            self._under_way.clear()
            self.retrying = frozenset()
            self.over = True

    def _work(self) -> None:
        """Run cells until all are over, also those that others have. Raises ConfigError if that can't be."""
        while not self._leaving.is_set():
            try:
                self._begin_free()
            except StoreError as error:
                self._bear(error)
            if not (self._left or self._under_way):
                return
            for run, message in self._executor.receive(WAIT_SECONDS):
                self._take(run, message)
            self._tell()

    def _tell(self) -> None:
        """Say what matters most."""
        problems = [one.claim.recorder.problem for one in self._under_way.values()]
        self.message = next(filter(None, [*problems, self._trouble, self._refused]), self._event)

    def _stop(self) -> None:
        """Have all stop that is under way, and take what comes until then."""
        until = time.monotonic() + STOP_SHARE * self._leave_seconds
        self._executor.stop()
        while self._under_way and (left := until - time.monotonic()) > 0.0:
            for run, message in self._executor.receive(min(left, WAIT_SECONDS)):
                self._take(run, message)
        self._tell()

    def _begin_free(self) -> None:
        """Begin as many cells as there is room for. Raises StoreError, and ConfigError if none can be."""
        room = self._executor.free() if time.monotonic() >= self._begin_due else 0
        if room and self._left and not self._to_claim and time.monotonic() >= self._look_due:
            self._look()
        while room and self._to_claim and not self._leaving.is_set():
            if self._unkept and self._under_way:
                return  # one at a time tells whether the store can be written again
            cell = self._to_claim[0]
            claimed = claim(self._path, cell, self._note, retry_failed=self._retry_failed)
            if not self._unkept:
                self._trouble, self._unable = "", 0.0
            if claimed and not self._begin(cell, claimed):
                return  # its turn stays
            self._to_claim.popleft()
            room = self._executor.free()

    def _look(self) -> None:
        """Find out what is over, whoever has run it, and line up the rest. Raises StoreError."""
        self._look_due = time.monotonic() + LOOK_SECONDS
        for run in over(self._path, self._left.copy(), or_failed=not self._retry_failed):
            if self._leaving.is_set():
                return
            del self._left[run]
        self._to_claim.extend(self._left.values())

    def _begin(self, cell: Cell, claimed: Claim) -> bool:
        """Have a cell run; return whether it could be begun. Raises ConfigError if it is no use to go on."""
        under_way = _Underway(cell, claimed, Snapshot(config=claimed.request.config))
        try:
            self._executor.begin(cell.id, claimed.request)
        except BaseException as error:
            under_way.close(Phase.INTERRUPTED)
            if not (isinstance(error, ConfigError) and self._under_way):
                raise
            self._refused = str(error)
            self._begin_due = time.monotonic() + LOOK_SECONDS
            return False
        self._refused = ""
        self._event = claimed.recorder.notice or self._event
        del self._left[cell.id]
        self._under_way[cell.id] = under_way
        for one in self._under_way.values():
            one.claim.recorder.checkpoint_share = WRITING_SHARE / len(self._under_way)
        return True

    def _take(self, run: str, message: Message) -> None:
        under_way = self._under_way.get(run)
        if under_way is None:  # it was given up
            return
        recorder = under_way.claim.recorder
        if isinstance(message, Reported):
            recorder.report(message.report)
        elif isinstance(message, Lost):
            self._take_loss(under_way, message.why)
        else:
            snapshot = whole(message.snapshot, message.same, under_way.snapshot)
            under_way.snapshot = snapshot
            if isinstance(message, Progress):
                recorder.record(snapshot, message.journal)
                self._is_kept(under_way)
            else:
                self._take_end(under_way)

    def _take_end(self, under_way: _Underway) -> None:
        snapshot = under_way.snapshot
        if snapshot.phase is Phase.FAILED:
            self._fail(under_way, snapshot.message)
            return
        self._end(under_way, snapshot.phase)

    def _take_loss(self, under_way: _Underway, why: str) -> None:
        """Have the cell go on in another worker, unless it seems to be what ends them."""
        cell, begun_at = under_way.cell, under_way.begun_at
        count, before = self._losses.get(cell.id, (0, begun_at))
        count = count + 1 if begun_at <= before else 1
        self._losses[cell.id] = count, begun_at
        if count > MOST_LOSSES and not self._leaving.is_set():
            self._fail(under_way, f"{why}, {count} times in succession: it is not tried again.")
            return
        self._end(under_way, Phase.INTERRUPTED)
        self._event = f"run {cell.id} goes on elsewhere: {why}."

    def _fail(self, under_way: _Underway, message: str) -> None:
        if self._end(under_way, Phase.FAILED, message):
            failure = Failure(under_way.cell, message, under_way.snapshot.traceback)
            self.failures = (*self.failures, failure)
            self.retrying -= {under_way.cell.id}
            self._event = f"run {under_way.cell.id} has failed: {message}"

    def _end(self, under_way: _Underway, phase: Phase, message: str = "") -> bool:
        """End a cell's recording; return whether the store has all of it.

        If not, or if it has not come to its end, it is claimed again, before all others. Raises StoreError.
        """
        cell, recorder = under_way.cell, under_way.claim.recorder
        del self._under_way[cell.id]
        under_way.close(phase, message)
        if recorder.problem:
            self._unkept = True
            self._bear(
                StoreError(f"run {cell.id} goes on later: {recorder.problem.replace(AGAIN, '')}")
            )
        else:
            self._is_kept(under_way)
        if recorder.problem or phase not in {Phase.FINISHED, Phase.FAILED}:
            self._left[cell.id] = cell
            self._to_claim.appendleft(cell)
        return not recorder.problem

    def _is_kept(self, under_way: _Underway) -> None:
        """Note that the store can be written, if what is recorded of a cell shows it."""
        if under_way.snapshot.facts is not None and not under_way.claim.recorder.problem:
            self._unkept, self._trouble, self._unable = False, "", 0.0

    def _bear(self, error: StoreError) -> None:
        """Look again later while the store can't be used, but not for ever. Raises StoreError."""
        now = time.monotonic()
        self._to_claim.clear()
        self._look_due = now + LOOK_SECONDS
        self._unable = self._unable or now
        self._trouble = str(error)
        if not self._under_way and now - self._unable > GIVE_UP_SECONDS:
            raise error
