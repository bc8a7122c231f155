"""What a worker's run calls so that it is kept: the `Recorder` that sends to a driver, which has the store."""

import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from threading import Event, Lock
from typing import Any

from bntui.core.run import Point
from bntui.core.snapshot import Checkpoint, EpochReport, Phase, Snapshot
from bntui.sweeps.executor import Ended, Message, Progress, Reported

SEND_SECONDS = 0.45
"""A little longer than between two commits of a recorder, so that each message is committed."""
CHECKPOINT_SHARE = 0.01
"""Share of the time that sending checkpoints may take."""
JUDGED_SERIES = ("smooth_acc", "val_acc", "fresh_acc", "seconds")
"""What verdicts, which a recorder makes, read of the histories."""
_EMPTY = Snapshot()
_FIELDS = tuple(field.name for field in fields(Snapshot))


class Sender:
    """The `Recorder` of a worker's run."""

    problem = ""
    notice = ""

    def __init__(
        self,
        run: str,
        send: Callable[[Message], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.run = run
        self.over = Event()
        """Set once the run has finished or failed, or is stopped."""
        self._send = send
        self._clock = clock
        self._turn = Lock()
        """Held while something is sent: the thread that closes may be another."""
        self._closed = False
        self._due = 0.0
        self._phase: Phase | None = None
        self._journal: list[Point] = []
        self._reports: list[EpochReport] = []
        self._sent: Snapshot | None = None
        """The last snapshot that went, as the run has it."""
        self._checkpoint: Checkpoint | None = None
        """The last that went."""
        self._checkpoint_due = 0.0

    def record(self, snapshot: Snapshot, journal: Sequence[Point]) -> None:
        """Take a snapshot, and the values that were appended to the series since the last call."""
        with self._turn:
            if self._closed:
                return
            self._journal += journal
            if self._phase is Phase.FINISHED:  # it is left, by being stopped
                return
            changed = snapshot.phase is not self._phase
            self._phase = snapshot.phase
            if changed or self._clock() >= self._due:
                self._send_progress(snapshot, at_once=changed)
        if snapshot.phase is Phase.FINISHED:
            self.over.set()

    def report(self, report: EpochReport) -> None:
        """Take an epoch's figures, which go with the next snapshot."""
        self._reports.append(report)

    def weights(self, update: int, content: bytes) -> None:
        """Keep nothing: of a cell its figures are of interest."""

    def close(self, snapshot: Snapshot) -> None:
        """Send the rest, and how the run has ended."""
        with self._turn:
            if not self._closed:
                self._closed = True
                if self._phase is Phase.FINISHED:
                    snapshot = replace(snapshot, phase=Phase.FINISHED)
                if self._journal or self._reports:
                    self._send_progress(snapshot, at_once=True)
                self._send(Ended(*self._lean(snapshot)))
        self.over.set()

    def _send_progress(self, snapshot: Snapshot, *, at_once: bool) -> None:
        for report in self._reports:
            self._send(Reported(report))
        began = self._clock()
        checkpoint = self._new_checkpoint(snapshot, began, at_once=at_once)
        lean, same = self._lean(snapshot)
        if checkpoint:
            content = replace(checkpoint, state=checkpoint.content())
            lean, same = replace(lean, checkpoints=(content,)), same - {"checkpoints"}
        self._send(Progress(lean, self._journal, same))
        self._journal, self._reports = [], []
        now = self._clock()
        self._due = now + SEND_SECONDS
        if checkpoint:
            self._checkpoint = checkpoint
            self._checkpoint_due = now + (now - began) / CHECKPOINT_SHARE

    def _new_checkpoint(
        self, snapshot: Snapshot, now: float, *, at_once: bool
    ) -> Checkpoint | None:
        """Return the checkpoint to send, if there is a new one and it is time for it."""
        if (
            not snapshot.checkpoints or snapshot.phase is Phase.FINISHED
        ):  # nothing goes on from there
            return None
        last = snapshot.checkpoints[-1]
        return (
            last
            if last is not self._checkpoint and (at_once or now >= self._checkpoint_due)
            else None
        )

    def _lean(self, snapshot: Snapshot) -> tuple[Snapshot, frozenset[str]]:
        """Return what a recorder needs of a snapshot, and the names of the fields that are as before."""
        before, self._sent = self._sent, snapshot
        same = frozenset(
            name
            for name in _FIELDS
            if before is not None and getattr(snapshot, name) is getattr(before, name)
        )
        left_out: dict[str, Any] = {name: getattr(_EMPTY, name) for name in same}
        return replace(_without_weight(snapshot), **left_out), same - {
            "series",
            "past",
            "checkpoints",
        }


def whole(snapshot: Snapshot, same: frozenset[str], before: Snapshot) -> Snapshot:
    """Return a snapshot with the fields that were left out of it, from the message `before`."""
    kept: dict[str, Any] = {name: getattr(before, name) for name in same}
    return replace(snapshot, **kept)


def _without_weight(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot without what is large and of no use to a recorder."""
    series = {name: snapshot.series[name] for name in JUDGED_SERIES if name in snapshot.series}
    twin = snapshot.twin and _without_weight(snapshot.twin)
    return replace(snapshot, past=(), checkpoints=(), series=series, twin=twin)
