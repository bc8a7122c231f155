"""A loaded run: data, trainer and observer put together, advanced one update at a time.

Synchronous and without time-outs: `runner.py` puts it on a thread. Importing this loads torch.
"""

from collections.abc import Callable
from dataclasses import replace

from bntui.core import rules
from bntui.core.border import BorderError
from bntui.core.config import Knobs
from bntui.core.measured import Recalibration
from bntui.core.run import LEAVE_SECONDS, Point
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import MAX_REPORTS, Checkpoint, EpochReport, Phase, Snapshot
from bntui.core.text import ConfigError
from bntui.machine import memory
from bntui.measure.observer import Observer
from bntui.measure.questions import Question
from bntui.measure.subsets import FEW_IMAGES, LIVE_IMAGES
from bntui.train import resuming
from bntui.train.batch_limits import BatchLimits
from bntui.train.checkpoints import SHARE, Checkpoints, pack
from bntui.train.loading import facts_of, load
from bntui.train.marks import Marks, knob_changes
from bntui.train.resuming import SessionState
from bntui.train.script import RECALIBRATE, Script, recalibrates, turned
from bntui.train.trainer import Trainer

SLOW_SECONDS = LEAVE_SECONDS / 2
"""An update that takes longer is kept at its end: the program may not wait for that of the next."""
EXPLAINED_BYTES = 500_000_000
"""Activations of the images that every question is answered on at the end: some seconds' work, on
1,000 images for the quarter net and on 350 for the thread's."""
KEEPING = "checkpoint"
"""The budget's name for what a checkpoint costs."""


class Session:
    """One run with everything in memory.

    Raises ConfigError (or DataError) if the device, the data set or the checkpoint can't be used.
    `check_stop` is called between any two pieces of work: it waits through a pause, and raises where
    the run is to stop. `say` gets a sentence while the run is loaded. `run` is the id under which the
    run is kept.
    """

    def __init__(
        self,
        request: RunRequest,
        *,
        check_stop: Callable[[], None] = lambda: None,
        say: Callable[[str], None] = lambda _: None,
        run: str = "",
    ) -> None:
        loaded = load(request, check_stop, say)
        self.config, self.notice = loaded.config, loaded.notice
        self.knobs = self.config.knobs
        self._data = resuming.data_of(loaded.data)
        self._machine = resuming.machine_of(loaded.device)
        self.trainer = Trainer(self.config, loaded.data, loaded.device)
        self._observation = request.observation
        self.observer = Observer(self.trainer, self._observation, self.config.seed, check_stop)
        self._marks = Marks()
        self._script = Script(self.config.at)
        self._reports: tuple[EpochReport, ...] = ()
        self._recalibration: Recalibration | None = None
        self._recalibrated: Recalibration | None = None
        self._goal_epochs = self.config.epochs
        self._goal_steps = self.config.steps
        self._facts = facts_of(self.trainer)
        self._run = run
        self.checkpoints = Checkpoints()
        self._keep_seconds = request.keep_seconds
        self._kept_at = 0.0
        self._limits = BatchLimits(loaded.device, self._facts)
        self._slow = False
        """Whether the last update was."""
        if begin := request.checkpoint:
            self._restore(begin)
        if why := self._limits.too_large(self.knobs.batch_size):
            raise ConfigError(f"{why}: give a smaller --batch-size or --width.")
        if not begin:
            self.keep("start")
        self.observer.budget.begin()

    @property
    def finished(self) -> bool:
        """Whether the epochs or steps asked for are done."""
        by_steps = self._goal_steps is not None and self.trainer.update >= self._goal_steps
        return by_steps or self.trainer.epoch > self._goal_epochs

    def extend(self) -> None:
        """Set the goal as far ahead again as it was at the start."""
        self._goal_epochs += self.config.epochs
        if self._goal_steps is not None and self.config.steps is not None:
            self._goal_steps += self.config.steps

    def train_once(self, wanted: Knobs | None) -> list[EpochReport]:
        """Make one update with `wanted` knobs, or those at hand, and observe what is due.

        Returns the report of an epoch that ended, if any; a run that ends within one reports the
        part. Where the report of the epoch before is still owed, it is all that is made.
        """
        if self.trainer.epoch_over:
            return self._end_epoch(full=True)
        self._follow_script(self._follow_schedule(wanted or self.knobs))
        trained = self.observer.budget.training
        full = self._step()
        self.observer.budget.trained()
        self._slow = self.observer.budget.training - trained > SLOW_SECONDS
        if self.trainer.must_take_results:
            self.catch_up()
        if full or (self.finished and self.trainer.mid_epoch):
            return self._end_epoch(full=full)
        self.observer.observe_if_due()
        long_ago = self.observer.budget.total - self._kept_at > self._keep_seconds
        if (self._slow or long_ago) and self._may_keep():
            self.keep(f"update {self.trainer.update}")
        return []

    def _end_epoch(self, *, full: bool) -> list[EpochReport]:
        report = self.observer.end_epoch(full=full)
        # What was reported of a part of this epoch is no longer of use.
        before = (known for known in self._reports if known.epoch != report.epoch)
        self._reports = (*before, report)[-MAX_REPORTS:]
        if not full or self._may_keep():
            self.keep(f"epoch {report.epoch}" if full else f"update {report.update}")
        return [report]

    def _step(self) -> bool:
        while True:
            self._limits.prepare_allocator(self.knobs.batch_size)
            before = self.trainer.images
            try:
                full = self.trainer.step(self.knobs)
            except (MemoryError, RuntimeError) as error:
                if not memory.ran_out(error):
                    raise
            else:
                if self.trainer.images - before == self.knobs.batch_size:
                    self._limits.fitted(self.knobs.batch_size)
                return full
            # Not in the handler: the error's traceback holds what the update had allocated.
            self._take_smaller_batches()

    def _take_smaller_batches(self) -> None:
        """Go on with a batch size that fits, after one for which memory ran out. Raises ConfigError."""
        failed = self.knobs.batch_size
        self.trainer.drop_gradients()
        smaller, self.notice = self._limits.smaller(failed)
        self._marks.add(self.trainer.update, f"batch {failed}→{smaller}", f"batch={smaller}")
        self.knobs = replace(self.knobs, batch_size=smaller)

    def observe(self) -> None:
        """Validate now, whatever the budget says: the user waits for it."""
        seen = self.observer.validation
        if self._observation.live and (seen is None or seen.update != self.trainer.update):
            self.observer.validate(asked=True)

    def conclude(self) -> None:
        """Make the changes planned for the last update, and measure everything there: each chart ends at it."""
        self._follow_script(self.knobs)
        self.observe()
        done = self._recalibrated
        if not self._observation.live and done and done.update == self.trainer.update:
            self.observer.validate_again()
        if not (self._observation.live or self._observation.epoch_ends):
            return
        if self.config.has_hindsight and (
            self._observation.live or not self._observation.hindsight
        ):
            self.observer.look_back(asked=True)
        if self._observation.causes:
            most = EXPLAINED_BYTES // max(1, self._facts.activation_bytes)
            self.observer.explain(min(LIVE_IMAGES, max(FEW_IMAGES, most)))
        if self._observation.live and self._observation.noise_scale:
            self.observer.measure_noise(asked=True)

    def ask_what_if(self) -> None:
        """Validate the weights at hand under every estimator."""
        if self.config.has_hindsight:
            self.observer.ask_what_if()

    def ask_channels(self) -> None:
        """Find out which channels of the layers are to blame, for the weights at hand."""
        if self.trainer.buffers.layers:
            self.observer.ask(Question.CHANNELS, LIVE_IMAGES, asked=True)

    def recalibrate(self, *, apply: bool) -> None:
        """Find out what recalibrated statistics would do; `apply` puts them to use."""
        if not self.trainer.buffers.layers:
            self.notice = "this network has no batch norm, so there is nothing to recalibrate."
            return
        if apply:
            self.keep("before recalibration")
            self.observe()  # the curve ends where it jumps from
        self._recalibration = self.observer.recalibrate(apply=apply)
        if apply:
            self._recalibrated = self._recalibration
            self._marks.add(self.trainer.update, "recalibrated", RECALIBRATE)
            if self._observation.live:  # all that is shown of the averages is of those at hand
                self.observer.validate(asked=True)
                if self.config.has_hindsight:
                    self.observer.look_back(asked=True)

    def catch_up(self) -> None:
        """Take the results that wait on the device, and count the time since as training."""
        self.observer.catch_up()
        self._marks.add_divergence(self.observer.divergence)

    def snapshot(self, phase: Phase) -> Snapshot:
        """Return the state of the run as of the last `catch_up`; changes nothing."""
        trainer, observer, budget = self.trainer, self.observer, self.observer.budget
        return Snapshot(
            phase=phase,
            message=self.notice,
            run=self._run,
            config=self.config,
            facts=self._facts,
            knobs=self.knobs,
            observing=self._observation.live,
            update=trainer.update,
            epoch=trainer.epoch if trainer.mid_epoch else trainer.epoch - 1,
            epochs=self._goal_epochs,
            updates_per_epoch=-(-self._facts.train // self.knobs.batch_size),
            images=trainer.images,
            seconds=budget.total,
            images_per_s=observer.images_per_s,
            observed_share=budget.observing / budget.total if budget.total else 0.0,
            divergence=observer.divergence,
            validation=observer.validation,
            past=observer.past,
            hindsight=observer.hindsight,
            what_if=observer.what_if,
            exchanges=observer.questions.exchanges,
            waiting=observer.questions.waiting,
            layers_waiting=observer.questions.layers_waiting,
            data_check=observer.questions.data_check,
            channel_exchanges=observer.questions.channel_exchanges,
            recalibration=self._recalibration,
            recalibrated=self._recalibrated,
            noise=observer.noise,
            reports=self._reports,
            marks=self._marks.view(),
            checkpoints=self.checkpoints.view(),
            series=observer.histories.views(),
        )

    def watch(self) -> None:
        """Note from now on what is appended to the histories, for `take_journal`."""
        self.observer.histories.journal = []

    def take_journal(self) -> list[Point]:
        """Return what was appended to the histories since the last call."""
        histories = self.observer.histories
        journal, histories.journal = histories.journal or [], []
        return journal

    def keep(self, label: str) -> Checkpoint:
        """Keep this moment as a checkpoint."""
        self.catch_up()
        observer = self.observer
        state = pack(
            SessionState(
                data=self._data,
                machine=self._machine,
                trainer=self.trainer.state(),
                observer=observer.state(),
                marks=list(self._marks.view()),
                epochs=self._goal_epochs,
                steps=self._goal_steps,
                knobs=self.knobs,
                followed=self._script.followed,
            )
        )
        checkpoint = Checkpoint(self.trainer.update, label, self.config, state, self._run)
        self.checkpoints.add(checkpoint)
        observer.budget.observed(KEEPING)
        self._kept_at = observer.budget.total
        return checkpoint

    def _may_keep(self) -> bool:
        """Tell whether this moment is worth its checkpoint: not every 10 ms, say."""
        since = self.observer.budget.total - self._kept_at
        return self._slow or self.observer.budget.price(KEEPING) <= SHARE * since

    def _restore(self, begin: Checkpoint) -> None:
        state = resuming.read(begin, self._data)
        try:
            if begin.update != state.trainer.update:
                raise BorderError(f"update {state.trainer.update} instead of {begin.update}")
            if state.knobs.batch_size > self._facts.train:
                raise BorderError(f"batches of {state.knobs.batch_size} images")
            self.trainer.restore(state.trainer)
            self.observer.restore(state.observer)
        except (RuntimeError, TypeError, ValueError) as error:
            raise ConfigError(resuming.does_not_fit(error)) from error
        self._marks.restore(state.marks, diverged=self.observer.divergence is not None)
        self._goal_epochs, self._goal_steps = state.epochs, state.steps
        self.knobs = state.knobs
        self._script.followed = state.followed
        said = resuming.remark(state.machine, self._machine, self.trainer.update)
        self.notice = " ".join(filter(None, [said, self.notice]))
        self.checkpoints.add(begin)

    def _follow_schedule(self, knobs: Knobs) -> Knobs:
        """Return `knobs` with the batch size that the schedule sets where an epoch begins."""
        schedule, trainer = self.config.batch_schedule, self.trainer
        if not schedule or trainer.mid_epoch:
            return knobs
        if knobs.batch_size != self.knobs.batch_size:  # the user's own choice goes before
            return knobs
        size = rules.scheduled_batch(schedule, trainer.epoch, knobs.batch_size)
        knobs = self._possible(replace(knobs, batch_size=size))
        if knobs.batch_size != self.knobs.batch_size:
            self._marks.add(trainer.update, f"batch {self.knobs.batch_size}→{knobs.batch_size}")
            self.knobs = replace(self.knobs, batch_size=knobs.batch_size)
        return knobs

    def _follow_script(self, knobs: Knobs) -> None:
        """Take over `knobs` with the changes that `--at` planned for this update; recalibrate if so.

        They count as made afterwards: a checkpoint from before one of them will meet it again.
        """
        due = self._script.due(self.trainer.update)
        self._turn(turned(knobs, due))
        if recalibrates(due):
            self.recalibrate(apply=True)
        self._script.followed += len(due)

    def _turn(self, wanted: Knobs) -> None:
        """Take over the knobs that were asked for, with a mark for each that changed."""
        knobs = self._possible(wanted)
        changes = knob_changes(self.knobs, knobs)
        if changes and self.trainer.update:
            self.keep(f"before {changes[0][0]}")
        for label, change in changes:
            self._marks.add(self.trainer.update, label, change)
        if knobs.estimator != self.knobs.estimator:
            self.observer.forget_answers()
        else:
            self.observer.questions.turn(self.config, self.knobs, knobs)
        self.knobs = knobs

    def _possible(self, knobs: Knobs) -> Knobs:
        """Return `knobs` with a batch size that is possible, and say so where theirs is not."""
        size, said = self._limits.within(knobs.batch_size, self.knobs.batch_size)
        self.notice = said or self.notice
        return replace(knobs, batch_size=size)
