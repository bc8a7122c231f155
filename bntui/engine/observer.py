"""Measures a trainer beside its training, and remembers what was measured.

Two validations of the same weights, the drift of every BN layer, epoch reports and histories.
Nothing here changes a bit of the weights: what is drawn at random comes from a generator of its own.
"""

import math
import time
from collections.abc import Callable

import torch

from bntui.engine.config import Observation, RunConfig
from bntui.engine.data import Split
from bntui.engine.evaluation import evaluate
from bntui.engine.series import Series, SeriesView
from bntui.engine.snapshot import EpochReport, LayerDrift, Score, Validation
from bntui.engine.statistics import ESTIMATORS, OWN, collect, drift, pool
from bntui.engine.trainer import Trainer

FRESH_IMAGES = 1024
"""Training images that fresh statistics are taken from, in one pass."""
LIVE_IMAGES = 1000
"""Validation images of a live validation, at most."""
RECALIBRATION_IMAGES = 4096
RECALIBRATION_BATCH = 256

OPENING_SECONDS = 60.0
OPENING_SHARE = 0.5
"""Share of the time that observing may take in a run's first minute, when the story happens."""
LATER_SHARE = 0.1


class Budget:
    """Decides whether observing may go on, so that it keeps to its share of the time."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.training = 0.0
        self.observing = 0.0
        self._clock = clock
        self._opening = (0.0, 0.0)
        self._expected = 0.0
        self._since = clock()

    @property
    def total(self) -> float:
        """Seconds spent training and observing."""
        return self.training + self.observing

    def begin(self) -> None:
        """Start the watch: what went before is not counted."""
        self._since = self._clock()

    def trained(self) -> None:
        """Count the time since the last call of any of these as training."""
        self.training += self._lap()

    def observed(self, *, live: bool = False) -> None:
        """Count the time since the last call of any of these as observing."""
        lap = self._lap()
        self.observing += lap
        if live:
            self._expected = lap

    def allows(self) -> bool:
        """Tell whether one more live observation, as dear as the last, keeps within the share."""
        if self.total <= OPENING_SECONDS:
            self._opening = (self.total, self.observing)
            total, observing, share = self.total, self.observing, OPENING_SHARE
        else:
            total, observing = self.total - self._opening[0], self.observing - self._opening[1]
            share = LATER_SHARE
        return observing + self._expected <= share * (total + self._expected)

    def _lap(self) -> float:
        now = self._clock()
        lap, self._since = now - self._since, now
        return lap


class Observer:
    """Watches one trainer."""

    def __init__(
        self,
        config: RunConfig,
        trainer: Trainer,
        observation: Observation,
        breathe: Callable[[], None],
    ) -> None:
        self.trainer = trainer
        self.observation = observation
        self.budget = Budget()
        self.diverged_at: int | None = None
        self.validation: Validation | None = None
        self._breathe = breathe
        self._series: dict[str, Series] = {}
        self._epoch_seconds = 0.0
        self._epoch_training = 0.0
        self._epoch_images = 0
        # Fixed for the run, so that the curves move with the weights and not with the sample.
        train = trainer.dataset.train
        generator = torch.Generator().manual_seed(config.seed)
        sample = torch.randperm(len(train), generator=generator).to(trainer.device)
        self._fresh_images = train.images[sample[:FRESH_IMAGES]]
        self._recalibration_images = train.images[sample[:RECALIBRATION_IMAGES]]
        self._live = _head(trainer.dataset.validation, LIVE_IMAGES)

    @property
    def series(self) -> dict[str, SeriesView]:
        """Every history so far, by name."""
        return {name: series.view() for name, series in self._series.items()}

    @property
    def images_per_s(self) -> float:
        """Training images a second, over training steps only."""
        return self.trainer.images / self.budget.training if self.budget.training else 0.0

    def catch_up(self) -> None:
        """Fetch the losses that wait on the device. What came before counts as training."""
        for update, loss, accuracy in self.trainer.take_losses():
            self._append("train_loss", update, loss)
            self._append("train_acc", update, accuracy)
            if self.diverged_at is None and not math.isfinite(loss):
                self.diverged_at = update
        self.budget.trained()

    def observe(self) -> None:
        """Validate on the live subset, under running and under fresh statistics."""
        self.catch_up()
        self._remember(self._validate(self._live))
        self.budget.observed(live=True)

    def end_epoch(self) -> EpochReport:
        """Validate on the whole validation set as the observation asks, and report the epoch."""
        self.catch_up()
        trainer, validation_set = self.trainer, self.trainer.dataset.validation
        end = trainer.end_epoch()
        running = fresh = None
        layers: tuple[LayerDrift, ...] = ()
        if self.observation.epoch_ends:
            if self.observation.epoch_fresh or self.budget.allows():
                validation = self._validate(validation_set)
                running, fresh, layers = validation.running, validation.fresh, validation.layers
                if self.observation.live and len(self._live) == len(validation_set):
                    self._remember(validation)
            else:
                running = self._under(OWN, validation_set)
        hindsight = self._hindsight(validation_set) if self.observation.hindsight else ()
        self.budget.observed()
        seconds = self.budget.training - self._epoch_training
        images = trainer.images - self._epoch_images
        report = EpochReport(
            epoch=end.epoch,
            update=trainer.update,
            seconds=self.budget.total - self._epoch_seconds,
            images_per_s=images / seconds if seconds else 0.0,
            loss=end.loss,
            acc=end.accuracy,
            val_loss=running.loss if running else math.nan,
            val_acc=running.accuracy if running else math.nan,
            val_loss_fresh=fresh.loss if fresh else math.nan,
            val_acc_fresh=fresh.accuracy if fresh else math.nan,
            layers=layers,
            hindsight=hindsight,
        )
        self._epoch_seconds = self.budget.total
        self._epoch_training = self.budget.training
        self._epoch_images = trainer.images
        return report

    def recalibrate(self) -> None:
        """Replace the user's running statistics by those of several training batches, pooled."""
        self.catch_up()
        trainer = self.trainer
        batches = self._recalibration_images.split(RECALIBRATION_BATCH)
        rows = []
        for batch in batches:
            self._breathe()
            rows.append((collect(trainer.model, trainer.buffers, batch), len(batch)))
        trainer.estimators.recalibrate(pool(rows))
        self.budget.observed()

    def _validate(self, split: Split) -> Validation:
        trainer = self.trainer
        running = self._under(OWN, split)
        if not trainer.buffers.layers:
            return Validation(trainer.update, len(split), running, running, ())
        self._breathe()
        statistics = collect(trainer.model, trainer.buffers, self._fresh_images)
        with trainer.buffers.holding(statistics):
            fresh = self._score(split)
        layers = drift(
            trainer.buffers,
            trainer.estimators[OWN],
            statistics,
            trainer.estimators.start_left,
        )
        return Validation(trainer.update, len(split), running, fresh, layers)

    def _hindsight(self, split: Split) -> tuple[tuple[str, float], ...]:
        names = (name for name in ESTIMATORS if name != OWN)
        return tuple((name, self._under(name, split).accuracy) for name in names)

    def _under(self, estimator: str, split: Split) -> Score:
        with self.trainer.buffers.holding(self.trainer.estimators[estimator]):
            return self._score(split)

    def _score(self, split: Split) -> Score:
        return evaluate(self.trainer.model, split, self.trainer.dataset.classes, self._breathe)

    def _remember(self, validation: Validation) -> None:
        self.validation = validation
        update = validation.update
        self._append("val_loss", update, validation.running.loss)
        self._append("val_acc", update, validation.running.accuracy)
        self._append("fresh_loss", update, validation.fresh.loss)
        self._append("fresh_acc", update, validation.fresh.accuracy)
        for layer in validation.layers:
            self._append(f"drift:{layer.name}", update, layer.log_var_ratio)

    def _append(self, name: str, update: int, value: float) -> None:
        self._series.setdefault(name, Series()).append(update, value)


def _head(split: Split, count: int) -> Split:
    return Split(split.images[:count], split.labels[:count])
