"""A stored run, live: what another process keeps of it shows here, as `core.run.Run`."""

import sqlite3
from collections import deque
from dataclasses import replace
from pathlib import Path
from threading import Condition, Thread
from time import monotonic

from bntui.core.config import Knobs
from bntui.core.measured import Validation
from bntui.core.run import LEAVE_SECONDS, Command, Run
from bntui.core.run_request import Follow, RunRequest
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.thinned import Thinned
from bntui.machine.places import attaching
from bntui.store.database import Store
from bntui.store.details import packed
from bntui.store.following import Following, is_over
from bntui.store.liveness import is_under_way
from bntui.store.requests import ask
from bntui.store.rows import StoredRun
from bntui.store.schema import StoreError, sentence
from bntui.store.stored_snapshot import outline
from bntui.store.writing import ALIVE

POLL_SECONDS = 0.2
"""How often the file is asked whether anybody has written to it: one word of shared memory."""
ALIVE_SECONDS = 0.5
"""How often the process that trains is looked for: a lock that it holds."""
RETRY_SECONDS = 1.0
"""How often a file that can't be read is tried again."""
TOLD_SECONDS = 10.0
"""For how long it is said that a request could not be left."""
MOST_PAST, PAST_BYTES = 64, 32_000_000
"""Validations with every channel that are kept in memory, at most; fewer where they are larger."""


class Followed:
    """A stored run that is looked at: live while a process trains it, and at rest otherwise.

    It reads on a thread of its own, from `start` on, and writes nothing but requests. What would lead the
    run does nothing.
    """

    def __init__(self, path: Path, run: StoredRun) -> None:
        self.snapshot: Snapshot = replace(outline(run, ()), followed=True)
        self._path = path
        self._run = run.id
        self._following = Following(path, run.id)
        self._read: Snapshot | None = None
        """The run as it was read last."""
        self._shown: Snapshot | None = None
        """What was read when `snapshot` was made."""
        self._past: Thinned[Validation] | None = None
        self._gone = False
        """Whether no process has the run, though it is kept as one under way."""
        self._looked = -ALIVE_SECONDS
        self._problem = ""
        self._commands: deque[Command] = deque()
        self._refused, self._refused_at = "", 0.0
        """Why the last request could not be left, and when that was."""
        self._changed = Condition()
        self._stopping = False
        self._thread = Thread(target=self._follow, name="bntui-follow", daemon=True)

    def start(self, *, after: Run | None = None) -> None:
        """Begin to follow; `after` has nothing to do with it."""
        try:
            self._thread.start()
        except RuntimeError:
            message = "no thread can be started: end other programs, or raise `ulimit -u`."
            self.snapshot = replace(self.snapshot, message=message)

    def pause(self) -> None:
        """Do nothing: the run is another's."""

    def resume(self) -> None:
        """Do nothing: the run is another's."""

    def stop(self) -> None:
        """End following; the run goes on."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread that follows to end; return whether it has."""
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def leave(self, timeout: float = LEAVE_SECONDS, *, interrupted: bool = False) -> bool:
        """End following, and wait for its thread; return whether it has ended. The run goes on."""
        self.stop()
        return self.join(timeout)

    def apply(self, knobs: Knobs) -> None:
        """Do nothing: the run is another's."""

    def command(self, command: Command) -> None:
        """Ask a watched training to recalibrate, if it may be asked; anything else does nothing."""
        watched = self.snapshot.watched
        if command is Command.RECALIBRATE and watched is not None and watched.control:
            with self._changed:
                self._commands.append(command)
                self._changed.notify_all()

    # Everything below runs on the thread that follows.

    def _follow(self) -> None:
        while not self._stopping:
            self._pass_on_requests()
            wait = POLL_SECONDS
            try:
                self._take(self._following.read())
            except (sqlite3.Error, OSError, StoreError, UnicodeDecodeError) as error:
                self._following.close()
                why = str(error) if isinstance(error, StoreError) else sentence(self._path, error)
                self._problem = f"this run can't be read, which is tried again every second: {why}"
                wait = RETRY_SECONDS
            self._publish()
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or bool(self._commands), wait)
        self._following.close()

    def _take(self, read: Snapshot | None) -> None:
        """Take what was read, if that is new, and look whether a process has the run."""
        self._problem = ""
        if read is not None:
            self._read = replace(read, past=self._with_past(read))
        now = monotonic()
        if read is not None or now >= self._looked + ALIVE_SECONDS:
            self._looked = now
            under_way = self._read is not None and not is_over(self._read)
            self._gone = under_way and not is_under_way(self._path, self._run)

    def _with_past(self, read: Snapshot) -> tuple[Validation, ...]:
        """Return the validations seen so far with their channels, thinned out, the newest among them."""
        validation = read.validation
        if validation is not None and validation.layers:
            if self._past is None:
                self._past = Thinned(_most_past(validation))
            items = self._past.items
            if items and items[-1].update > validation.update:  # the run was taken back
                self._past = Thinned(self._past.capacity)
            if not items or items[-1] is not validation:
                self._past.append(validation)
        return tuple(self._past.items) if self._past else ()

    def _publish(self) -> None:
        """Show what was read, and what there is to say of it; the same object while both are the same."""
        read = self._read
        if read is None:
            if self._problem:
                self.snapshot = replace(self.snapshot, message=self._problem)
            return
        phase = Phase.INTERRUPTED if self._gone else read.phase
        if monotonic() > self._refused_at + TOLD_SECONDS:
            self._refused = ""
        message = next(filter(None, (self._problem, self._refused, self._ended(read))), "")
        message = message or read.message or self._following.remark
        shown = self.snapshot
        if read is not self._shown or (phase, message) != (shown.phase, shown.message):
            self._shown = read
            self.snapshot = replace(read, phase=phase, message=message)

    def _ended(self, read: Snapshot) -> str:
        if not self._gone:
            return ""
        return (
            "the process that trained this run has ended without closing it: the last update that it "
            f"kept is {read.update:,}."
        )

    def _pass_on_requests(self) -> None:
        while self._commands:
            try:
                ask(self._path, self._run, self._commands.popleft())
                self._refused = ""
            except StoreError as error:
                self._refused, self._refused_at = str(error), monotonic()


def followed(request: RunRequest) -> Run:
    """Return the run that a request asks to follow. Raises ConfigError if it is no longer kept."""
    assert isinstance(request.origin, Follow)  # no other key of a followed run begins one
    with Store() as store:
        return Followed(store.path, store.run(request.origin.run))


def which(store: Store, name: str | None) -> StoredRun:
    """Return the run that `bntui attach` means: what `name` finds, else the newest under way.

    Raises StoreError where there is none.
    """
    if name is not None:
        return store.find(name)
    runs = store.runs()
    under_way = next((run for run in runs if run.state in ALIVE), None)
    if under_way is not None:
        return under_way
    if not runs:
        raise StoreError(f"no run is under way, and none is kept in {store.path}.")
    newest = runs[0].id
    raise StoreError(
        f"no run is under way: `{attaching(newest, store.path)}` opens the newest that is kept."
    )


def _most_past(validation: Validation) -> int:
    """Return how many validations like this one are kept: an even number."""
    _, data = packed("validation", validation)
    return max(2, min(MOST_PAST, PAST_BYTES // max(1, len(data))) // 2 * 2)
