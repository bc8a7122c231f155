"""A training of a user's own that is watched: what is seen at its updates, and how that ends."""

import atexit
import math
import os
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType

from torch import Tensor, nn

from bntui.core.measured import Recalibration
from bntui.core.run import Command
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.text import first_sentence
from bntui.core.watched import Found, Watched
from bntui.probe import recalibration
from bntui.probe.errors import ProbeError
from bntui.probe.keras_model import KerasModel, is_keras
from bntui.probe.recalibration import Restore
from bntui.probe.report import Report
from bntui.probe.watching import steps
from bntui.probe.watching.arguments import Watch
from bntui.probe.watching.batch_statistics import Statistics
from bntui.probe.watching.described import (
    batch_of,
    config_of,
    facts_of,
    script,
    unwrapped,
)
from bntui.probe.watching.ending import how_ended, tell
from bntui.probe.watching.findings import as_found
from bntui.probe.watching.keras_words import in_keras
from bntui.probe.watching.looks import Looks
from bntui.probe.watching.paragraph import paragraph
from bntui.probe.watching.ranks import Ranks
from bntui.probe.watching.recorded import is_recorded
from bntui.probe.watching.schedule import HINDSIGHT, VALIDATION, Schedule
from bntui.probe.watching.standing import Standing
from bntui.probe.watching.writer import Logged, Replaced, Seen, Update, Writer


class Watching:
    """One training that is watched. Nothing here raises into it, but what `on_verdict` raises."""

    def __init__(self, model: nn.Module, how: Watch) -> None:
        """Begin to watch. Raises ProbeError."""
        self._keras = KerasModel(model) if is_keras(model) else None
        """What stands for a model of Keras's."""
        self._model = self._keras or unwrapped(model)
        self._how = how
        self._updates = steps.Updates(self._model, how.optimizers)
        self._ranks = Ranks(self._model)
        self.statistics = Statistics(self._model)
        try:
            self._looks = Looks(
                self._model,
                self.statistics,
                validation=how.validation,
                training=how.training,
                forward=how.forward,
                metric=how.metric,
            )
        except BaseException:
            self._unhook()
            raise
        self._update = 0
        self._asked = False
        """Whether somebody who is attached has asked for a recalibration."""
        self._first = ""
        """The cause that `on_verdict` was called with last."""
        self._over = False
        self._pid = os.getpid()
        begun = Watched(
            script=script(),
            model=how.name or (self._keras.name if self._keras else type(self._model).__name__),
            convention="keras" if self._keras else "torch",
            batch_size=max(0, batch_of(how.training) or 0),
            control=how.control,
        )
        self._standing = Standing(begun, self.statistics, self._looks, self._ranks)
        self._writer = Writer(
            None if self._ranks.rank else how.recorder(),
            config_of(how.training, self.statistics.momentum),
            facts_of(self._model, how.training, how.validation),
            begun,
            distance=how.validation is None,
            ask=self._take_request,
        )
        self._writer.start()
        steps.listen(self)
        atexit.register(self._end_with_the_program)
        self._schedule = Schedule(how.every, how.share)

    @property
    def run(self) -> str:
        """The run's id in the store; empty if it is not kept."""
        return self._writer.snapshot.run

    @property
    def snapshot(self) -> Snapshot:
        """What others see of the training; less than a second old."""
        return self._writer.snapshot

    @property
    def updates(self) -> int:
        """How many updates were seen."""
        return self._update

    def __enter__(self) -> "Watching":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the watching, and print what was found to standard error."""
        tell(self.close(error))

    def log(
        self,
        *,
        loss: float | Tensor = math.nan,
        accuracy: float | Tensor = math.nan,
        epoch: int = 0,
    ) -> None:
        """Tell the last update's loss, in place of what `backward` was called on; its accuracy, or the epoch."""
        if self._here:
            self._writer.see(Logged(max(1, self._update), _copy(loss), _copy(accuracy), epoch))

    def stepped(
        self, optimizer: steps.AnyOptimizer, losses: tuple[Tensor, ...], *, new: bool
    ) -> None:
        """Take note of a step of an optimiser; only `on_verdict` can raise here."""
        if self._here and not is_recorded() and self._updates.begins(optimizer, new=new):
            self._standing.stepped(optimizer)
            self._updated(losses)

    def step(self) -> None:
        """Take note of an update, where it is no torch optimiser that makes it."""
        if self._here:
            self._updated(steps.since_last_step())

    def look(self) -> Report:
        """Return what `bntui.check` finds at the weights at hand. Raises what that raises."""
        self._schedule.begin()
        self._compare_ranks()
        self._validate(whole=True)
        report = self._looks.report(self._update)
        if self._keras:
            report = replace(report, verdicts=tuple(map(in_keras, report.verdicts)))
        self._tell(tuple(map(as_found, report.verdicts)))
        self._schedule.looked()
        return report

    def recalibrate(self) -> Restore:
        """Replace the running statistics by fresh ones, as `bntui.recalibrate`, and return what undoes it.

        Without training batches they are the means of the last updates' own. Raises ProbeError.
        """
        how, update = self._how, self._update
        before = self._looks.validate(update)
        if how.training is not None:
            with self.statistics.suspended():
                restore = recalibration.recalibrate(self._model, how.training, forward=how.forward)
        elif (row := self.statistics.recent()) is not None:
            restore = recalibration.replace_by(self.statistics.layers, row)
        else:
            raise ProbeError("there are no batch statistics yet: recalibrate after an update.")
        self.statistics.moved_by_user()
        after = self._looks.validate(update)
        accuracies = before.running.accuracy, after.running.accuracy
        done = Replaced(Recalibration(update, *accuracies, True, after.images))
        self._tell(self._looks.findings(update), done, after)
        return restore

    def close(self, error: BaseException | None = None) -> str:
        """End the watching, and return in one paragraph what was found; nothing the second time.

        `error` is what has ended the training, if anything has: then nothing more is measured.
        """
        if not self._here:
            return ""
        steps.leave(self)
        atexit.unregister(self._end_with_the_program)
        phase, message = how_ended(error)
        measures = self._update and not self._ranks.rank and not self._standing.trouble
        if phase is Phase.FINISHED and measures:
            phase = self._last_look()
        self._over = True
        self._looks.close()
        self._unhook()
        self._writer.close(phase, message)
        if phase is Phase.FINISHED:
            self._say_verdict()
        store, unkept = self._how.file, self._writer.unkept
        if self._ranks.rank:
            return self._ranks.unmet
        return paragraph(self.snapshot, store, unkept=unkept)

    def leave_end_to_caller(self) -> None:
        """Tell nothing at the program's end: whoever calls this calls `close` then, and tells what it returns."""
        atexit.unregister(self._end_with_the_program)

    def _unhook(self) -> None:
        """Leave the model as if it had never been watched."""
        self.statistics.detach()
        if self._keras:
            self._keras.detach()
        self._ranks.detach()

    @property
    def _here(self) -> bool:
        """Whether this is the process that is watched, and still is: forked workers are not."""
        return not self._over and os.getpid() == self._pid

    def _updated(self, losses: tuple[Tensor, ...]) -> None:
        """Take note of an update, and look at the weights if it is time; only `on_verdict` can raise."""
        self._schedule.book(lambda: self._book(losses))
        if not self._standing.trouble:
            self._guarded(self._publish)
            self._guarded(self._obey)
            self._guarded(self._look_if_due)
        self._say_verdict()

    def _book(self, losses: tuple[Tensor, ...]) -> None:
        """Do what is done at every update."""
        schedule = self._schedule
        self.statistics.step()
        self._update += 1
        self._writer.see(Update(self._update, schedule.seconds, schedule.share, losses))

    def _publish(self) -> None:
        self._ranks.publish(self.statistics, self._update)

    def _compare_ranks(self) -> None:
        """Have what other processes' statistics show told beside what looks find."""
        found = self._ranks.compare(self.statistics, batch_of(self._how.training))
        self._looks.others = (found,) if found else ()

    def _obey(self) -> None:
        """Recalibrate if somebody who is attached asked for it."""
        if not self._asked or self._ranks.spread:
            return
        self._asked, self._standing.refused = False, ""
        try:
            self.recalibrate()
        except ProbeError as error:
            self._standing.refused = f"A recalibration was asked for, and not possible: {error}"
            self._tell_state()
        self._schedule.looked()

    def _look_if_due(self) -> None:
        """Look if it is time: on rank 0, since the other ranks wait for whoever looks."""
        if not self._ranks.rank:
            for kind in self._schedule.due(self._update):
                self._look(kind)

    def _look(self, kind: str) -> None:
        if kind == VALIDATION:
            self._compare_ranks()
        if self._ranks.spread:
            self._tell(tuple(map(as_found, self._looks.others)))
        elif kind == VALIDATION:
            self._validate()
        else:
            self._writer.see(self._looks.look_back(self._update))
        self._schedule.looked(kind)

    def _validate(self, *, whole: bool = False) -> None:
        """Have others see a validation together with what it found."""
        validation = self._looks.validate(self._update, whole=whole)
        self._tell(self._looks.findings(self._update), validation)

    def _last_look(self) -> Phase:
        """Find out how the training ends, as thoroughly as a check; return its last phase."""
        try:
            if self._ranks.spread:
                self._guarded(lambda: self._look(VALIDATION))
            else:
                self._guarded(self.look)
                self._guarded(lambda: self._look(HINDSIGHT))
        except KeyboardInterrupt:
            return Phase.STOPPED
        return Phase.FINISHED

    def _guarded(self, function: Callable[[], object]) -> None:
        """Do what may fail in the user's code or in ours; if it does, look no more and say so."""
        try:
            function()
        except Exception as error:
            reason = first_sentence(error)
            self._standing.trouble = (
                f"Nothing was measured after update {self._update:,}, since a look failed "
                f"({type(error).__name__}{': ' * bool(reason)}{reason})."
            )
            self._tell_state()

    def _tell(self, findings: tuple[Found, ...], *seen: Seen) -> None:
        """Have others see what was found, beside what it was found in, and how the training stands."""
        self._standing.found(findings, self._update)
        self._tell_state(*seen)

    def _tell_state(self, *seen: Seen) -> None:
        self._writer.see(*seen, self._standing.now())

    def _say_verdict(self) -> None:
        """Call the user's `on_verdict` if another cause comes first now."""
        first = self._standing.first
        if first and first.cause != self._first:
            self._first = first.cause
            if self._how.on_verdict:
                self._how.on_verdict(first)

    def _take_request(self, command: Command) -> None:
        if command is Command.RECALIBRATE and self._how.control:
            self._asked = True

    def _end_with_the_program(self) -> None:
        tell(self.close())


def _copy(value: float | Tensor) -> float | Tensor:
    return value.detach().clone() if isinstance(value, Tensor) else value
