"""A loaded run: data, trainer and observer put together, advanced one update at a time.

Synchronous and without time-outs: `runner.py` puts it on a thread. Importing this loads torch.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import torch

from bntui.engine import data, device
from bntui.engine.config import Knobs, Observation, RunConfig
from bntui.engine.datafiles import mnist_on_disk
from bntui.engine.model import parameter_count
from bntui.engine.observer import Observer
from bntui.engine.snapshot import EpochReport, Mark, Phase, RunFacts, Snapshot
from bntui.engine.trainer import Trainer

MAX_MARKS = 256


class Session:
    """One run with everything in memory.

    Raises ConfigError (or DataError) if the device or the data set can't be used. `breathe` is
    called wherever waiting is possible and may wait or raise; `say` gets a sentence on the way.
    """

    def __init__(
        self,
        config: RunConfig,
        observation: Observation,
        left_open: frozenset[str],
        *,
        breathe: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        if config.threads is not None:
            torch.set_num_threads(config.threads)
        on = device.resolve(config.device)
        config = device.fit_to_machine(
            config,
            left_open,
            gpu=on.type != "cpu",
            mnist_on_disk=mnist_on_disk(config.data_dir),
        )
        say(f"loading {config.dataset}")
        dataset = data.load(
            config.dataset,
            data_dir=config.data_dir,
            train_size=config.train_size,
            device=on,
            report=say,
            breathe=breathe,
        )
        self._images = len(dataset.train)
        self.notice = ""
        self.knobs = self._clipped(config.knobs)
        self.config = replace(config, knobs=self.knobs)
        self.trainer = Trainer(self.config, dataset, on)
        self.observer = Observer(self.config, self.trainer, observation, breathe)
        self._observation = observation
        self._marks: deque[Mark] = deque(maxlen=MAX_MARKS)
        self._report: EpochReport | None = None
        self._goal_epochs = config.epochs
        self._goal_steps = config.steps
        self._facts = RunFacts(
            device=str(on),
            dataset=dataset.name,
            train=len(dataset.train),
            validation=len(dataset.validation),
            parameters=parameter_count(self.trainer.model),
            classes=dataset.classes,
        )

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

    def train_once(self, wanted: Knobs) -> EpochReport | None:
        """Make one update with `wanted`, observe what is due, and return the report of a full epoch.

        A run that ends in the middle of an epoch reports the part.
        """
        self._turn(wanted)
        full = self.trainer.step(self.knobs)
        if self.trainer.must_take_losses:
            self.observer.catch_up()
        if full or (self.finished and self.trainer.mid_epoch):
            self._report = self.observer.end_epoch()
            return self._report
        if self._observation.live and self.observer.budget.allows():
            self.observer.observe()
        return None

    def observe(self) -> None:
        """Validate now, whatever the budget says: the user waits for it."""
        seen = self.observer.validation
        if self._observation.live and (seen is None or seen.update != self.trainer.update):
            self.observer.observe()

    def recalibrate(self) -> None:
        """Replace the running statistics by those of training batches, and validate again."""
        if not self.trainer.buffers.layers:
            self.notice = "this run has no batch norm, so there is nothing to recalibrate."
            return
        self.observer.recalibrate()
        self._mark("recalibrated")
        if self._observation.live:
            self.observer.observe()

    def snapshot(self, phase: Phase) -> Snapshot:
        """Return the state of the run, with every loss so far."""
        trainer, observer = self.trainer, self.observer
        known_divergence = observer.diverged_at
        observer.catch_up()
        if observer.diverged_at is not None and known_divergence is None:
            self._marks.append(Mark(observer.diverged_at, "diverged"))
        budget = observer.budget
        return Snapshot(
            phase=phase,
            message=self.notice,
            config=self.config,
            facts=self._facts,
            knobs=self.knobs,
            update=trainer.update,
            epoch=trainer.epoch if trainer.mid_epoch else trainer.epoch - 1,
            epochs=self._goal_epochs,
            updates_per_epoch=-(-self._images // self.knobs.batch_size),
            images=trainer.images,
            seconds=budget.total,
            images_per_s=observer.images_per_s,
            observed_share=budget.observing / budget.total if budget.total else 0.0,
            diverged_at=observer.diverged_at,
            validation=observer.validation,
            report=self._report,
            marks=tuple(self._marks),
            series=observer.series,
        )

    def _turn(self, wanted: Knobs) -> None:
        """Take over the knobs that were asked for, with a mark for each that changed."""
        knobs = self._clipped(wanted)
        for name, label in (
            ("batch_size", "batch"),
            ("momentum", "momentum"),
            ("learning_rate", "rate"),
        ):
            before, after = getattr(self.knobs, name), getattr(knobs, name)
            if before != after:
                self._mark(f"{label} {before:g}→{after:g}")
        self.knobs = knobs

    def _mark(self, label: str) -> None:
        self._marks.append(Mark(self.trainer.update, label))

    def _clipped(self, knobs: Knobs) -> Knobs:
        if knobs.batch_size <= self._images:
            return knobs
        self.notice = (
            f"batch size {knobs.batch_size} is more than the {self._images} training images: "
            f"clipped to {self._images}."
        )
        return replace(knobs, batch_size=self._images)
