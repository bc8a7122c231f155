"""A loaded run: data, trainer and observer put together, advanced one update at a time.

Synchronous and without time-outs: `runner.py` puts it on a thread. Importing this loads torch.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile
from typing import Any

import torch

from bntui.core import rules
from bntui.core.border import BorderError
from bntui.core.config import Knobs
from bntui.core.measured import Recalibration
from bntui.core.run import LEAVE_SECONDS, Point
from bntui.core.run_request import RunRequest
from bntui.core.settings import LIVE
from bntui.core.snapshot import (
    MAX_REPORTS,
    Checkpoint,
    EpochReport,
    Mark,
    Phase,
    RunFacts,
    Snapshot,
)
from bntui.core.text import ConfigError, exact
from bntui.data import dataset
from bntui.data.sources import mnist_on_disk
from bntui.machine import allocator, device, memory
from bntui.measure.observer import Observer
from bntui.measure.questions import CHANNELS
from bntui.measure.subsets import FEW_IMAGES, LIVE_IMAGES
from bntui.train import resuming
from bntui.train.checkpoints import SHARE, Checkpoints, pack
from bntui.train.model import activation_bytes, parameter_count
from bntui.train.resuming import MAX_MARKS, SessionState
from bntui.train.trainer import Trainer

PROBE = 4
"""Images that activations are measured on."""
KEEP_SECONDS = 30.0
"""How much of a run is lost at most, where an epoch takes longer."""
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
    `breathe` is called wherever waiting is possible and may wait or raise; `say` gets a sentence on
    the way. `run` is the id under which the run is kept.
    """

    def __init__(
        self,
        request: RunRequest,
        *,
        breathe: Callable[[], None] = lambda: None,
        say: Callable[[str], None] = lambda _: None,
        run: str = "",
    ) -> None:
        config, observation, left_open = request.config, request.observation, request.left_open
        on, remark = device.resolve(config.device)
        remarks = [remark, *device.tune(on, config.threads)]
        config = device.fit_to_machine(
            config,
            left_open,
            gpu=on.type != "cpu",
            mnist_on_disk=mnist_on_disk(config.data_dir),
        )
        loaded = dataset.load(
            config.dataset,
            data_dir=config.data_dir,
            train_size=config.train_size,
            device=on,
            report=say,
            check_stop=breathe,
        )
        self._images = len(loaded.train)
        self._data, self._machine = resuming.data_of(loaded), resuming.machine_of(on)
        self.notice = ""
        if "width" in left_open and config.width < 1.0:
            self.notice = (
                f"width {config.width:g} and batch {config.knobs.batch_size} suit this CPU: "
                "bntui --width 1 trains the thread's full net."
            )
        first = rules.scheduled_batch(config.batch_schedule, 1, config.knobs.batch_size)
        self.knobs = self._clipped(replace(config.knobs, batch_size=first))
        self.notice = " ".join(filter(None, [loaded.notice, self.notice, *remarks]))
        self.config = replace(config, knobs=self.knobs)
        self.trainer = Trainer(self.config, loaded, on)
        self.observer = Observer(self.trainer, observation, config.seed, breathe)
        self._observation = observation
        self._marks: deque[Mark] = deque(maxlen=MAX_MARKS)
        self._script = sorted(config.at, key=lambda change: change.update)
        self._followed = 0
        """Changes of the script that were made."""
        self._reports: tuple[EpochReport, ...] = ()
        self._recalibration: Recalibration | None = None
        self._recalibrated: Recalibration | None = None
        self._diverged = False
        self._goal_epochs = config.epochs
        self._goal_steps = config.steps
        self._facts = RunFacts(
            device=str(on),
            dataset=loaded.name,
            train=len(loaded.train),
            validation=len(loaded.validation),
            parameters=parameter_count(self.trainer.model),
            class_names=loaded.class_names,
            activation_bytes=activation_bytes(self.trainer.model, loaded.train.images[:PROBE]),
            threads=torch.get_num_threads(),
        )
        self._run = run
        self.checkpoints = Checkpoints()
        self._kept_at = 0.0
        self._allocated_for = 0
        self._fitted = 0
        """The batch size of the last update that memory sufficed for."""
        self._resident = memory.resident()
        self._slow = False
        """Whether the last update was."""
        if begin := request.checkpoint:
            self._restore(begin)
        if why := self._too_large(self.knobs.batch_size):
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
            self.observer.catch_up()
        if full or (self.finished and self.trainer.mid_epoch):
            return self._end_epoch(full=full)
        self.observer.observe_if_due()
        long_ago = self.observer.budget.total - self._kept_at > KEEP_SECONDS
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
            self._prepare_allocator()
            before = self.trainer.images
            try:
                full = self.trainer.step(self.knobs)
            except (MemoryError, RuntimeError) as error:
                if not memory.ran_out(error):
                    raise
            else:
                if self.trainer.images - before == self.knobs.batch_size:
                    self._fitted = self.knobs.batch_size
                return full
            # Not in the handler: the error's traceback holds what the update had allocated.
            self._make_do()

    def _prepare_allocator(self) -> None:
        """Keep freed memory at hand for batches of this size, where there is room for that.

        The peak of an update is then up to twice as high, 1.8 to 2.3 times its activations instead of
        1.1 to 1.3: so twice as many images must fit.
        """
        size = self.knobs.batch_size
        if size != self._allocated_for and self.trainer.device.type == "cpu":
            self._allocated_for = size
            little = size * self._facts.activation_bytes <= allocator.MOST_KEPT
            allocator.keep_freed(keep=little and 2 * size <= self._most())

    def _make_do(self) -> None:
        """Take the last batch size that fitted, or half of it, after one that did not.

        Raises ConfigError where none did: nothing is lost then, and the user asked for another run.
        """
        failed = self.knobs.batch_size
        self.trainer.drop_gradients()
        smaller = self._fitted if self._fitted < failed else failed // 2
        if not self._fitted or smaller < 2:
            half = min(failed // 2, self._most())
            cure = f"give --batch-size {half}" if half > 1 else "close other programs"
            raise ConfigError(
                f"batch size {failed} needs more memory than {self._facts.device} has: {cure}."
            )
        self.notice = (
            f"memory ran out on {self._facts.device} at batch size {failed}: the run keeps its "
            f"weights and goes on with {smaller}."
        )
        self._mark(f"batch {failed}→{smaller}", f"batch={smaller}")
        self.knobs = replace(self.knobs, batch_size=smaller)

    def _most(self) -> int:
        """Return how many images an update can have, as far as can be told."""
        device = self.trainer.device
        free = memory.free_on(device)
        if device.type == "cpu":  # what updates took and the allocator keeps is theirs again
            free += max(0, memory.resident() - self._resident)
        return memory.largest_batch(free, self._facts.activation_bytes)

    def _too_large(self, batch_size: int) -> str:
        """Say why an update can't be that large, with what would fit; nothing where it can."""
        if batch_size <= self._fitted or batch_size <= (most := self._most()):
            return ""
        size = memory.needed(batch_size, self._facts.activation_bytes) / 1e9
        fits = f"at most {most} would fit" if most > 1 else "not even 2 would fit"
        return (
            f"batch size {batch_size} needs {size:,.1f} GB of memory on {self._facts.device}, "
            f"and {fits}"
        )

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
            self.observer.ask(CHANNELS, LIVE_IMAGES, asked=True)

    def recalibrate(self, *, apply: bool) -> None:
        """Find out what recalibrated statistics would do; `apply` puts them to use."""
        if not self._has_batch_norm():
            return
        if apply:
            self.keep("before recalibration")
        self._recalibration = self.observer.recalibrate(apply=apply)
        if apply:
            self._recalibrated = self._recalibration
            self._mark("recalibrated", "recalibrate")
            if self._observation.live:
                self.observer.validate(asked=True)

    def _has_batch_norm(self) -> bool:
        if not self.trainer.buffers.layers:
            self.notice = (
                "this run has no layer with running statistics, so there is nothing to recalibrate."
            )
        return bool(self.trainer.buffers.layers)

    def snapshot(self, phase: Phase) -> Snapshot:
        """Return the state of the run, with every loss so far."""
        trainer, observer = self.trainer, self.observer
        observer.catch_up()
        if observer.divergence and not self._diverged:
            self._diverged = True
            self._marks.append(Mark(observer.divergence.update, "diverged"))
        budget = observer.budget
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
            updates_per_epoch=-(-self._images // self.knobs.batch_size),
            images=trainer.images,
            seconds=budget.total,
            images_per_s=observer.images_per_s,
            observed_share=budget.observing / budget.total if budget.total else 0.0,
            divergence=observer.divergence,
            validation=observer.validation,
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
            marks=tuple(self._marks),
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
        observer = self.observer
        observer.catch_up()
        state = pack(
            SessionState(
                data=self._data,
                machine=self._machine,
                trainer=self.trainer.state(),
                observer=observer.state(),
                marks=list(self._marks),
                epochs=self._goal_epochs,
                steps=self._goal_steps,
                knobs=self.knobs,
                followed=self._followed,
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
            if state.knobs.batch_size > self._images:
                raise BorderError(f"batches of {state.knobs.batch_size} images")
            self.trainer.restore(state.trainer)
            self.observer.restore(state.observer)
        except (RuntimeError, TypeError, ValueError) as error:
            raise ConfigError(resuming.does_not_fit(error)) from error
        self._marks.extend(state.marks)
        self._goal_epochs, self._goal_steps = state.epochs, state.steps
        self.knobs = state.knobs
        self._followed = state.followed
        said = resuming.remark(state.machine, self._machine, self.trainer.update)
        self.notice = " ".join(filter(None, [said, self.notice]))
        self._diverged = self.observer.divergence is not None
        self.checkpoints.add(begin)

    def _follow_schedule(self, knobs: Knobs) -> Knobs:
        """Return `knobs` with the batch size that the schedule sets where an epoch begins."""
        schedule, trainer = self.config.batch_schedule, self.trainer
        if not schedule or trainer.mid_epoch:
            return knobs
        if knobs.batch_size != self.knobs.batch_size:  # the user's own choice goes before
            return knobs
        size = rules.scheduled_batch(schedule, trainer.epoch, knobs.batch_size)
        knobs = self._fitting(self._clipped(replace(knobs, batch_size=size)))
        if knobs.batch_size != self.knobs.batch_size:
            label = f"batch {self.knobs.batch_size}→{knobs.batch_size}"
            self._marks.append(Mark(trainer.update, label))
            self.knobs = replace(self.knobs, batch_size=knobs.batch_size)
        return knobs

    def _follow_script(self, knobs: Knobs) -> None:
        """Take over `knobs` with the changes that `--at` planned for this update; recalibrate if so.

        They count as made afterwards: a checkpoint from before one of them will meet it again.
        """
        to_come = self._script[self._followed :]
        due = list(takewhile(lambda change: change.update <= self.trainer.update, to_come))
        values: dict[str, Any] = {
            change.setting: change.value for change in due if change.setting != "recalibrate"
        }
        self._turn(replace(knobs, **values))
        if any(change.setting == "recalibrate" for change in due):
            self.recalibrate(apply=True)
        self._followed += len(due)

    def _turn(self, wanted: Knobs) -> None:
        """Take over the knobs that were asked for, with a mark for each that changed."""
        knobs = self._fitting(self._clipped(wanted))
        changes = [
            (f"{name} {_written(before)}→{_written(after)}", f"{name}={after}")
            for name, row in LIVE.items()
            if (before := getattr(self.knobs, row.field)) != (after := getattr(knobs, row.field))
            and row.field != "pace"
        ]
        if changes and self.trainer.update:
            self.keep(f"before {changes[0][0]}")
        for label, change in changes:
            self._mark(label, change)
        if knobs.estimator != self.knobs.estimator:
            self.observer.forget_answers()
        elif rules.kept(self.config, knobs) != rules.kept(self.config, self.knobs):
            self.observer.questions.forget_forecasts()
        self.knobs = knobs

    def _mark(self, label: str, change: str) -> None:
        self._marks.append(Mark(self.trainer.update, label, change))

    def _fitting(self, knobs: Knobs) -> Knobs:
        """Return `knobs` with the batch size at hand where theirs would not fit in memory."""
        if knobs.batch_size <= self.knobs.batch_size:
            return knobs
        why = self._too_large(knobs.batch_size)
        if not why:
            return knobs
        self.notice = f"{why}: the run goes on with {self.knobs.batch_size}."
        return replace(knobs, batch_size=self.knobs.batch_size)

    def _clipped(self, knobs: Knobs) -> Knobs:
        if knobs.batch_size <= self._images:
            return knobs
        self.notice = (
            f"batch size {knobs.batch_size} is more than the {self._images} training images: "
            f"clipped to {self._images}."
        )
        return replace(knobs, batch_size=self._images)


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else exact(value)
