"""What a live run calls so that it is kept: the real `core.run.Recorder`."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from uuid import uuid4

from bntui.core.run import Command, Point
from bntui.core.run_request import Branch, New, Origin, Resume
from bntui.core.snapshot import Checkpoint, EpochReport, Phase, Snapshot
from bntui.diagnose.causes import Cause, Verdict
from bntui.diagnose.verdict import verdict
from bntui.machine.places import HOMELESS, is_nowhere, store_path
from bntui.store.checksum import DamagedError
from bntui.store.connection import PATIENCE
from bntui.store.database import Store
from bntui.store.recorded_details import RecordedDetails
from bntui.store.recorded_marks import RecordedMarks
from bntui.store.recorded_series import RecordedSeries
from bntui.store.requests import forget, take
from bntui.store.rows import drop_wrong
from bntui.store.runs_file import RunsFile
from bntui.store.schema import StoreError, sentence, transaction
from bntui.store.writing import (
    State,
    copy_run,
    copy_sweeps,
    drop_checkpoint,
    drop_run,
    put_checkpoint,
    put_progress,
    put_reports,
    put_run,
    put_verdicts,
    put_weights,
    state_of,
    truncate_after,
)

FLUSH_SECONDS = 0.4
"""Called ten times a second, it commits twice a second: who follows the run sees it within one."""
BRIEFLY = 0.1
"""Seconds that a commit under way may keep training waiting for another process that writes."""
CHECKPOINT_SHARE = 0.01
"""Share of the time that writing checkpoints may take; between them a killed run repeats more."""
AGAIN = ", which is tried again every second"
"""Part of a problem that is true until the run ends."""
FROM_START = New()
MOST_WAITING = 4_000_000
"""Values that wait in memory for a store that can't be written, at most: 64 MB."""


class StoreRecorder:
    """Keeps one run, committed at least once a second, at every change of phase and every mark.

    What can't be written stays in memory and is tried again every second. Nothing is kept before
    the run is loaded.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        origin: Origin = FROM_START,
        run: str = "",
        file: RunsFile | None = None,
        note: str = "",
        notice: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep a run from its `origin`: one that is resumed is gone on with, under the id that it has.

        A new run may be given its id, `run`: what is kept under it is replaced by the first that is written.
        `file` is the store's file in which the run is held already, if it is. `note` is kept beside a new
        run; `notice` is what there is to say besides.

        Raises StoreError if a run that is resumed, or whose id is given, is under way.
        """
        self.path = path or store_path()
        resume = origin.checkpoint if isinstance(origin, Resume) else None
        self.run = resume.run if resume else run or uuid4().hex[:12]
        """The run's id in the store."""
        self.problem = ""
        self.notice = notice
        self._resumed_at = resume.update if resume else None
        self._parent = origin.checkpoint if isinstance(origin, Branch) else None
        self._note = note
        self._clock = clock
        self._due = 0.0
        self._file = file or RunsFile(self.path)
        self._begun = False
        self._given_up = False
        self._turn = Lock()
        """Held while something is taken: the thread that closes may be another."""
        self._series = RecordedSeries(self.run, self._resumed_at or 0)
        self._details = RecordedDetails()
        self._phase: Phase | None = None
        self._state = State.RUNNING
        self._marks = RecordedMarks(self.run)
        self._reports: list[EpochReport] = []
        self._reported: EpochReport | None = None
        """The run's own last, which a snapshot may not have yet."""
        self._weights: tuple[int, bytes] | None = None
        """Those that could not be kept yet, with their update."""
        self._checkpoint: Checkpoint | None = resume
        """The last seen."""
        self._checkpoint_kept: Checkpoint | None = resume
        self._checkpoint_due = 0.0
        self.checkpoint_share = CHECKPOINT_SHARE
        """Of the time, what writing checkpoints may take."""
        self._judged: object = None
        """What the last verdict was about."""
        self._verdicts: list[tuple[int, Verdict]] = []
        if is_nowhere(self.path):
            self._give_up(f"{HOMELESS}; name a file with BNTUI_STORE.")
        elif resume or run:
            self._hold()

    def record(self, snapshot: Snapshot, journal: Sequence[Point]) -> None:
        """Take every value up to `snapshot.update` that was not in a journal before."""
        with self._turn:
            if self._given_up:
                return
            self._series.append(journal)
            if snapshot.facts is None:
                return
            at_once = self._take(snapshot) or snapshot.phase is not Phase.RUNNING
            if at_once or self._clock() >= self._due:
                self._flush(snapshot, at_once=at_once)

    def report(self, report: EpochReport) -> None:
        """Take an epoch's figures."""
        self._reports.append(report)
        if not report.twin:
            self._reported = report

    def weights(self, update: int, content: bytes) -> None:
        """Keep the weights of this moment, in place of those kept before."""
        self._weights = (update, content)
        try:
            with Store(self.path) as store:  # it may wait: the user does as well
                store.keep_weights(self.run, update, content)
        except StoreError as error:
            self.problem = _unkept_weights(str(error))
        else:
            self._weights = None

    def requested(self) -> tuple[Command, ...]:
        """Return what other processes have asked of the run since the last call; cheap where that is nothing."""
        with self._turn:
            connection = self._file.connection
            if connection is None or not self._begun:
                return ()
            try:
                return take(connection, self.run)
            except sqlite3.Error:  # what was asked stays, and the next flush says what is wrong
                return ()

    def close(self, snapshot: Snapshot) -> None:
        """End the recording of a run whose last snapshot this is; nothing is taken after it.

        May be called from another thread than the rest.
        """
        with self._turn:
            if snapshot.facts is not None and not self._given_up:
                self._take(snapshot)
                self._flush(snapshot, at_once=True, last=True)
            self._given_up = True
            self._file.close()

    def _take(self, snapshot: Snapshot) -> bool:
        """Take what is new in a snapshot; return whether it should be kept at once."""
        self._series.append_moments(snapshot.hindsight)
        self._judge(snapshot)
        happened = self._marks.take(snapshot.marks)
        if snapshot.checkpoints:
            self._checkpoint = snapshot.checkpoints[-1]
        changed = snapshot.phase is not self._phase
        self._phase = snapshot.phase
        if changed:  # nobody knows when the next update comes, if one does
            self._checkpoint_due = 0.0
        return changed or happened

    def _judge(self, snapshot: Snapshot) -> None:
        """Take the verdict if there is something new to judge."""
        about = (snapshot.validation, snapshot.divergence, snapshot.phase is Phase.FAILED)
        if about == self._judged:
            return
        self._judged = about
        judged = verdict(snapshot)
        if judged.cause is not Cause.WAITING:
            if [before.cause for _, before in self._verdicts[-2:]] == [judged.cause] * 2:
                self._verdicts.pop()  # only the first and the last are kept
            at = snapshot.validation.update if snapshot.validation else snapshot.update
            self._verdicts.append((at, judged))

    def _flush(self, snapshot: Snapshot, *, at_once: bool, last: bool = False) -> None:
        """Write all that waits in one transaction, or nothing and say why.

        Measurements may wait for another time, unless they are to be written `at_once`.
        """
        begun = self._clock()
        self._due = begun + FLUSH_SECONDS
        checkpoint = self._new_checkpoint(begun, last=last)
        self._state = state_of(snapshot.phase, self._state)
        try:
            connection = self._file.open(self.run, BRIEFLY)
            if last:  # this time it may wait
                connection.execute(f"PRAGMA busy_timeout = {1000 * PATIENCE:.0f}")
            with transaction(connection):
                if self._file.left is not None and self._begun:
                    self._bring(self._file.left, connection, snapshot)
                self._write(connection, snapshot)
                self._details.write(connection, self.run, snapshot, begun, all_of_it=at_once)
                if last and self._state is State.FINISHED:
                    drop_checkpoint(connection, self.run)
                elif checkpoint:
                    put_checkpoint(connection, self.run, checkpoint)
        except (sqlite3.Error, OSError, StoreError) as error:
            self._file.disconnect()
            why = sentence(self.path, error)
            self.problem = f"this run is not being kept{AGAIN}: {why}"
            self._give_up_if_too_much(why)
            return
        self._arrived()
        self._committed()
        self.problem = self._keep_waiting_weights(connection)
        if checkpoint:
            now = self._clock()
            self._checkpoint_kept = checkpoint
            self._checkpoint_due = now + (now - begun) / self.checkpoint_share

    def _new_checkpoint(self, now: float, *, last: bool) -> Checkpoint | None:
        """Return the checkpoint to keep, if there is a new one and it is time for it."""
        due = last or now >= self._checkpoint_due
        return self._checkpoint if due and self._checkpoint is not self._checkpoint_kept else None

    def _write(self, connection: sqlite3.Connection, snapshot: Snapshot) -> None:
        if not self._begun:
            if self._resumed_at is None:
                drop_run(connection, self.run)
                put_run(connection, self.run, self._state, snapshot, self._parent, self._note)
            elif connection.execute("SELECT 1 FROM runs WHERE id = ?", (self.run,)).fetchone():
                self._take_back(connection, self._resumed_at)
            else:  # its store was removed since it was looked up
                self._begin_anew(connection, snapshot)
        self._series.write(connection)
        self._marks.write(connection)
        put_verdicts(connection, self.run, self._verdicts)
        put_reports(connection, self.run, self._reports)
        if self._reported:
            snapshot = replace(snapshot, reports=(self._reported,))
        put_progress(connection, self.run, self._state, snapshot)  # over what the reports say

    def _bring(
        self, source: sqlite3.Connection, to: sqlite3.Connection, snapshot: Snapshot
    ) -> None:
        """Within a transaction, put what was kept of the run, which a sweep may need, into another file."""
        try:
            copy_sweeps(source, to)
            copy_run(source, to, self.run)
        except sqlite3.Error as error:
            if not isinstance(error, DamagedError) and _is_readable(source):
                raise  # it is the other file that can't be written
            self._begin_anew(to, snapshot)

    def _begin_anew(self, to: sqlite3.Connection, snapshot: Snapshot) -> None:
        """Write what is in memory of a run whose file is lost: of its series, what charts show."""
        drop_run(to, self.run)
        put_run(to, self.run, self._state, snapshot, self._parent, self._note)
        put_reports(to, self.run, snapshot.reports)
        self._series.write_anew(to, snapshot)
        self._marks.begin_anew(snapshot.marks)
        self._details.forget()
        self._checkpoint_kept = None

    def _arrived(self) -> None:
        """Say that the run is in another file now, where it is."""
        if self._file.left is not None:
            self._file.arrive()
            self.notice = (
                f"the store {self.path} was removed or replaced while this run was under way: all of "
                "the run is in the file that is there now."
            )

    def _take_back(self, connection: sqlite3.Connection, update: int) -> None:
        """Forget what the run to resume did after its checkpoint, and count what it has."""
        forget(connection, self.run)  # asked of the process that was killed
        drop_wrong(connection, self.run)
        truncate_after(connection, self.run, update)
        self._series.count(connection)
        self._marks.count(connection)

    def _committed(self) -> None:
        """Forget what is safe."""
        self._begun = True
        self._series.committed()
        self._details.committed()
        self._marks.committed()
        self._verdicts, self._reports = [], []

    def _hold(self) -> None:
        """Take the lock of the run."""
        try:
            held = self._file.hold(self.run)
        except OSError as error:
            raise StoreError(sentence(self.path, error)) from error
        if not held:
            self._file.close()
            raise StoreError(f"run {self.run} is under way in another bntui: let that one end.")

    def _keep_waiting_weights(self, connection: sqlite3.Connection) -> str:
        """Write weights that could not be kept before; return why not, or nothing.

        In a transaction of their own: the rest of the run takes less room.
        """
        if self._weights is None:
            return ""
        try:
            with transaction(connection):
                put_weights(connection, self.run, *self._weights)
        except sqlite3.Error as error:
            return _unkept_weights(sentence(self.path, error))
        self._weights = None
        return ""

    def _give_up_if_too_much(self, why: str) -> None:
        if self._series.waiting > MOST_WAITING:
            self._give_up(f"{why} The rest of it is given up.")

    def _give_up(self, why: str) -> None:
        self._given_up = True
        self._series.forget()
        self.problem = f"this run is not being kept: {why}"


def _is_readable(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT count(*) FROM runs").fetchone()
    except sqlite3.Error:
        return False
    return True


def _unkept_weights(why: str) -> str:
    return f"the weights are not kept, which is tried again every second: {why}"
