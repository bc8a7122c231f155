"""One run on a thread of its own, and the only way between that thread and the others.

Out: `Runner.snapshot`, one attribute that is swapped whole. In: `apply` for knobs, which wait here
until the next update takes them all at once; commands, obeyed between updates. torch is imported on
the run's thread, so that a screen can be alive before it. Structure (BN on or off, width, data set, seed)
is a new Runner.
"""

import atexit
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import takewhile
from threading import TIMEOUT_MAX, Condition, Thread

from bntui.core.config import Knobs
from bntui.core.run import LEAVE_SECONDS, Command, Recorder, Run
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import EpochReport, Phase, Snapshot
from bntui.core.text import ConfigError
from bntui.machine import libraries, memory
from bntui.machine.device import prepare_environment
from bntui.train.trainable import Trainable

PUBLISH_SECONDS = 0.05
NO_MEMORY = "memory ran out: close other programs, or take a smaller width, batch size or data set."
RETRY_SECONDS = 1.0
"""How often a run that waits tries again to be kept."""


class Stopped(Exception):  # noqa: N818 (a request, not an error)
    """The run was asked to stop; raised on its own thread wherever it looks."""


class Runner:
    """The real `Run`: trains as its request says on a daemon thread, until it is stopped.

    After its epochs a run pauses in `Phase.FINISHED` with everything in place; `resume` then trains
    as many again. `recorder` makes what keeps the run, on the run's thread. `on_report` is called on the run's thread with every
    epoch's report.
    """

    def __init__(
        self,
        request: RunRequest,
        *,
        recorder: Callable[[], Recorder | None] = lambda: None,
        on_report: Callable[[EpochReport, Snapshot], None] = lambda *_: None,
    ) -> None:
        config = request.config
        self.snapshot = Snapshot(config=config, knobs=config.knobs, epochs=config.epochs)
        """Swapped only with `_changed` held: `apply` and the run's thread both do."""
        self._request: RunRequest | None = request
        """Until the run is loaded: it may hold a checkpoint, which takes memory."""
        self._keep_weights = request.keep_weights
        self._make_recorder = recorder
        self._recorder: Recorder | None = None
        self._on_report = on_report
        self._wanted: Knobs | None = None
        self._changed = Condition()
        self._paused = request.paused
        self._stopping = False
        self._end = Phase.STOPPED
        """How the run stands once it is stopped."""
        self._commands: deque[Command] = deque()
        self._published = 0.0
        self._noticed: tuple[str, str | None] = ("", None)
        """The last notice of the recorder's, and what the run itself had to say then."""
        self._session: Trainable | None = None
        self._after: Run | None = None
        self._thread = Thread(target=self._run, name="bntui-run", daemon=True)

    def start(self, *, after: Run | None = None) -> None:
        """Begin to load and then, unless paused, to train; not before `after` has ended."""
        self._after = after
        prepare_environment()
        # Python would end a daemon thread in the middle of torch, which aborts the process.
        atexit.register(self.leave)
        try:
            self._thread.start()
        except RuntimeError:
            atexit.unregister(self.leave)
            message = (
                "no thread can be started to train on: end other programs, or raise `ulimit -u`."
            )
            self._show(Phase.FAILED, message=message)

    def pause(self) -> None:
        """Stop training after the update under way."""
        with self._changed:
            self._paused = True
            self._changed.notify_all()

    def resume(self) -> None:
        """Train on; after the last epoch, as many epochs again."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def stop(self) -> None:
        """End the run after the update, or the piece of an evaluation, under way."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the run's thread to end; return whether it has."""
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def leave(self, timeout: float = LEAVE_SECONDS, *, interrupted: bool = False) -> bool:
        """Stop, and wait for the run's thread to end; return whether it has.

        If not, what is complete is kept, and nothing after it. `interrupted` is a run that its user
        did not mean to end.
        """
        if interrupted:
            self._end = Phase.INTERRUPTED
        self.stop()
        ended = self.join(timeout)
        if not ended and self._recorder:
            self._show(self._end)
            # Not the snapshot as it stands: the run's thread may publish another meanwhile.
            self._recorder.close(replace(self.snapshot, phase=self._end))
        return ended

    def apply(self, knobs: Knobs) -> None:
        """Use `knobs` from the next update on; until then the snapshot has them as `wanted`."""
        with self._changed:
            self._wanted = knobs
            self.snapshot = replace(self.snapshot, wanted=knobs)
            self._changed.notify_all()

    def command(self, command: Command) -> None:
        """Ask for something to be done between two updates; all but steps only once before a step."""
        with self._changed:
            waiting = takewhile(lambda one: one is not Command.STEP, [*self._commands][::-1])
            if command is Command.STEP or command not in waiting:
                self._commands.append(command)
            self._changed.notify_all()

    # Everything below runs on the run's own thread.

    def _run(self) -> None:
        try:
            self._recorder = self._make_recorder()
            session = self._load()
            while True:
                self._obey(session)
                self._train_once(session)
        except Stopped:
            self._show(self._end)
            if self._session and self._recorder and not self._session.finished:
                self._session.keep("stopped")
            self._publish(self._end)
        except ConfigError as error:
            self._fail(str(error))
        except Exception as error:  # nothing on this thread may end it in silence
            if memory.ran_out(error):
                self._fail(NO_MEMORY)
            else:
                self._fail(f"{type(error).__name__}: {error}", traceback.format_exc())
        finally:
            if self._recorder:
                self._recorder.close(self.snapshot)
            self._session = None  # its memory; the last snapshot stays
            atexit.unregister(self.leave)

    def _load(self) -> Trainable:
        self._say("loading torch")
        with libraries.loading("torch"):
            from bntui.train.session import Session
            from bntui.train.twins import Twins

        if self._after:
            # Also when stopped meanwhile: whoever waits for this run must not begin beside that one.
            while not self._after.join(PUBLISH_SECONDS):
                if self._stopping:
                    atexit.unregister(self.leave)  # there is nothing to leave yet
            self._after = None
        self._check_stop()
        assert self._request

        def load(request: RunRequest) -> Session:
            session = Session(
                request,
                check_stop=self._check_stop,
                say=self._say,
                run=self._recorder.run if self._recorder else "",
            )
            if self._recorder:
                session.notice = f"{self._recorder.notice} {session.notice}".strip()
                self._noticed = (self._recorder.notice, None)
            return session

        request, self._request = self._request, None
        session = Twins(request, load) if request.config.twin else load(request)
        if self._recorder:
            session.watch()
        if session.trainer.update:
            session.observe()
        if session.finished:  # it was killed after its last update
            session.conclude()
            self._paused = True
        self._session = session  # only now: a pause waits for the picture of where it begins
        self._publish(Phase.PAUSED if self._paused else Phase.RUNNING)
        return session

    def _obey(self, session: Trainable) -> None:
        """Carry out what was asked; return when the run may train on."""
        while self._paused or self._stopping or self._commands:
            if self._stopping:
                raise Stopped
            if self._commands:
                # Taken off when it is done: until then an evaluation doesn't wait for the pause.
                self._carry_out(self._commands[0], session)
                self._commands.popleft()
            phase = Phase.FINISHED if session.finished else Phase.PAUSED
            self._publish(phase if self._paused else Phase.RUNNING)
            unkept = self._recorder is not None and self._recorder.problem
            # A pause asked for only now must be shown before the run waits in it.
            self._wait(
                lambda: not self._paused or self.snapshot.phase is Phase.RUNNING,
                RETRY_SECONDS if unkept else None,
            )
        if self.snapshot.phase is not Phase.RUNNING:
            self._show(Phase.RUNNING)

    def _carry_out(self, command: Command, session: Trainable) -> None:
        if command is Command.STEP:
            if session.finished:
                session.extend()
            self._update(session)
            if session.finished:
                session.conclude()
            elif self._commands.count(Command.STEP) == 1:  # the last of many is the one to look at
                session.observe()
        elif command is Command.WHAT_IF:
            session.ask_what_if()
        elif command is Command.CHANNELS:
            session.ask_channels()
        elif command is Command.KEEP_WEIGHTS:
            self._give_weights(session)
        else:
            session.recalibrate(apply=command is Command.RECALIBRATE)

    def _train_once(self, session: Trainable) -> None:
        started = time.monotonic()
        if session.finished:
            session.extend()
        self._update(session)
        if session.finished:
            session.conclude()
            self._paused = True
            if self._keep_weights:
                self._give_weights(session)
        elif time.monotonic() - self._published >= PUBLISH_SECONDS:
            self._publish(Phase.RUNNING)
        rest = min(started + 1.0 / session.knobs.pace - time.monotonic(), TIMEOUT_MAX)
        if rest > 0.0 and not self._paused:
            if rest > PUBLISH_SECONDS:
                self._publish(Phase.RUNNING)
            else:
                session.catch_up()
            pace = session.knobs.pace
            self._wait(lambda: self._paused or (self._wanted or session.knobs).pace != pace, rest)

    def _give_weights(self, session: Trainable) -> None:
        self._publish(self.snapshot.phase)  # so that the store has the run
        if self._recorder:
            self._recorder.weights(session.trainer.update, session.trainer.weights())

    def _update(self, session: Trainable) -> None:
        if session.trainer.epoch_over:  # it was stopped in the middle of its report
            self._deliver(session.train_once(None), session)
            if session.finished:
                return
        with self._changed:
            wanted, self._wanted = self._wanted, None
        self._deliver(session.train_once(wanted), session)

    def _deliver(self, reports: list[EpochReport], session: Trainable) -> None:
        for report in reports:
            if self._recorder:
                self._recorder.report(report)
            session.catch_up()
            self._on_report(report, session.snapshot(Phase.RUNNING))

    def _check_stop(self) -> None:
        """Wait here while the run is paused and nothing is asked of it; raise Stopped on a stop."""
        if self._paused and self._session and not (self._stopping or self._commands):
            phase = self.snapshot.phase
            self._session.observer.budget.observed()
            self._publish(Phase.PAUSED)
            self._wait(lambda: not self._paused)
            self._show(phase)
        if self._stopping:
            raise Stopped

    def _wait(self, until: Callable[[], bool], timeout: float | None = None) -> None:
        """Sleep until something is asked, or the time is over. Waiting counts as neither work."""
        with self._changed:
            self._changed.wait_for(
                lambda: until() or self._stopping or bool(self._commands), timeout
            )
        if self._session:
            self._session.observer.budget.begin()

    def _publish(self, phase: Phase) -> None:
        if self._session:
            self._session.catch_up()
            snapshot = self._session.snapshot(phase)
            if self._recorder:
                self._recorder.record(snapshot, self._session.take_journal())
                snapshot = replace(snapshot, message=self._message(snapshot.message))
            with self._changed:
                self.snapshot = replace(snapshot, wanted=self._wanted)
            self._published = time.monotonic()

    def _message(self, message: str) -> str:
        """Return what there is to say: that the run is not kept, else the newer of two remarks."""
        assert self._recorder
        if self._recorder.notice != self._noticed[0]:
            self._noticed = (self._recorder.notice, message)
        notice, then = self._noticed
        return self._recorder.problem or (notice if then == message else message)

    def _show(self, phase: Phase, message: str = "", traceback: str = "") -> None:
        """Swap in a snapshot that differs in its phase, and in what there is to say."""
        with self._changed:
            self.snapshot = replace(
                self.snapshot,
                phase=phase,
                message=message or self.snapshot.message,
                traceback=traceback,
            )

    def _fail(self, message: str, traceback: str = "") -> None:
        """Show what was done until it failed, and why it did."""
        with suppress(Exception):  # what failed may fail again
            self._publish(self.snapshot.phase)
        self._show(Phase.FAILED, message, traceback)

    def _say(self, message: str) -> None:
        self._show(Phase.LOADING, message=message)
