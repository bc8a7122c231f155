"""Measures a trainer beside its training: when, what, and on which images.

Two validations of the same weights, the drift of every BN layer, the map of all momenta, the gradient
noise scale, and epoch reports. What was measured over the run is kept in `histories.py`.
Nothing here changes a bit of the weights: what is drawn at random comes from a generator of its own.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Annotated

import torch
from torch import Tensor

from bntui.border import Count, Length, Seconds
from bntui.engine.budget import Budget, BudgetState
from bntui.engine.config import Observation, RunConfig
from bntui.engine.data import Split
from bntui.engine.draws import Drawn, stream
from bntui.engine.drift import compare_modes, drift, shift
from bntui.engine.estimators import ESTIMATORS, OWN
from bntui.engine.evaluation import evaluate
from bntui.engine.histories import Histories, HistoriesState
from bntui.engine.moments import Moment, Moments, MomentsState
from bntui.engine.noise import WINDOW, draw, estimate, measure
from bntui.engine.noiseinterval import Measurement
from bntui.engine.snapshot import (
    NO_DETAIL,
    Divergence,
    EpochReport,
    Hindsight,
    LayerDrift,
    Noise,
    Recalibration,
    Score,
    Validation,
)
from bntui.engine.statistics import collect, pool
from bntui.engine.trainer import Trainer

FRESH_IMAGES = 1024
"""Training images that fresh statistics are taken from, in one pass."""
LIVE_IMAGES = 1000
"""Validation images of a live validation, at most."""
FEW_IMAGES = 200
"""Validation images of the map of all momenta, and of the comparison of whole networks."""
RECALIBRATION_IMAGES = 4096
RECALIBRATION_BATCH = 256

VALIDATION, HINDSIGHT, NOISE, EPOCH = "validation", "hindsight", "noise", "epoch"
"""Kinds of observation, each with its price."""
ROUND = (VALIDATION, HINDSIGHT, NOISE, VALIDATION, HINDSIGHT)
"""The live ones in turn. They cost about the same; the story needs the first two most."""
HINDSIGHT_NAMES = tuple(name for name in ESTIMATORS if name != OWN)


@dataclass(frozen=True, slots=True)
class ObserverState:
    """What was seen of a run so far, and where the draws for what is to be seen stand."""

    histories: HistoriesState
    moments: MomentsState
    budget: BudgetState
    epoch: tuple[Seconds, Seconds, Count]
    """When the epoch under way began: in seconds of all, seconds of training, images."""
    noise: Annotated[list[Measurement], Length(0, WINDOW)]
    noise_draws: Tensor
    divergence: Divergence | None


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
        self.led = False
        """Whether somebody else decides when to look, as with a twin."""
        self.budget = Budget()
        self.histories = Histories()
        self.divergence: Divergence | None = None
        self.validation: Validation | None = None
        self.what_if: Hindsight | None = None
        self.noise: Noise | None = None
        self._breathe = breathe
        self._timed = 0
        self._moments = Moments(HINDSIGHT_NAMES)
        self._measurements: deque[Measurement] = deque(maxlen=WINDOW)
        self._seed = config.seed
        self._noise_draws = stream(config.seed, Drawn.NOISE)
        self._kinds = cycle([kind for kind in ROUND if self._watches(kind)])
        self._next_kind = next(self._kinds)
        self._epoch_seconds = 0.0
        self._epoch_training = 0.0
        self._epoch_images = 0
        # Fixed for the run, so that the curves move with the weights and not with the sample.
        train, validation = trainer.dataset.train, trainer.dataset.validation
        draws = stream(config.seed, Drawn.SAMPLE)
        sample = torch.randperm(len(train), generator=draws).to(trainer.device)
        self._fresh_images = train.images[sample[:FRESH_IMAGES]]
        self._recalibration_images = train.images[sample[:RECALIBRATION_IMAGES]]
        self._live = _head(validation, LIVE_IMAGES)
        self._few = _head(validation, FEW_IMAGES)

    @property
    def hindsight(self) -> Hindsight | None:
        """Every estimator's accuracy at moments of the run so far."""
        images = self._few if self.observation.live else self.trainer.dataset.validation
        return self._moments.view(len(images)) if self._moments else None

    @property
    def images_per_s(self) -> float:
        """Training images a second, over training steps only."""
        return self.trainer.images / self.budget.training if self.budget.training else 0.0

    def catch_up(self) -> None:
        """Fetch the results that wait on the device. What came before counts as training."""
        for result in self.trainer.take_results():
            self.histories.append_result(result)
            broken = result.broken_layer is not None or not math.isfinite(result.loss)
            if broken and self.divergence is None:
                self.divergence = Divergence(result.update, result.broken_layer or "loss")
        self.budget.trained()
        if self.trainer.update > self._timed:
            self._timed = self.trainer.update
            self.histories.append("images", self._timed, self.trainer.images)
            self.histories.append("seconds", self._timed, self.budget.total)

    def observe_if_due(self) -> None:
        """Make the next live observation if it keeps within the share of the time."""
        if self.observation.live and not self.led and self.budget.allows(self._next_kind):
            looks = {
                VALIDATION: self.validate,
                HINDSIGHT: self.look_back,
                NOISE: self.measure_noise,
            }
            looks[self._next_kind]()
            self._next_kind = next(self._kinds)

    def _watches(self, kind: str) -> bool:
        if kind == HINDSIGHT:
            return self.trainer.config.has_hindsight
        return kind != NOISE or self.observation.noise_scale

    def validate(self, *, asked: bool = False) -> None:
        """Validate on the live subset, under running and under fresh statistics.

        What the user `asked` for takes nothing from the share of the time.
        """
        self.catch_up()
        self._remember(self._validate(self._live))
        self._settle(VALIDATION, asked=asked)

    def look_back(self, *, asked: bool = False) -> None:
        """Validate on a few images under every estimator, for the map of all momenta."""
        self.catch_up()
        self._moments.append(self._moment(self._few))
        self._settle(HINDSIGHT, asked=asked)

    def measure_noise(self, *, asked: bool = False) -> None:
        """Measure the gradient noise scale once more, on training images drawn for it alone."""
        self.catch_up()
        self._measure_noise(1, self._noise_draws)
        self._settle(NOISE, asked=asked)

    def ask_what_if(self) -> None:
        """Validate on the live subset under every estimator, for the weights at hand."""
        self.catch_up()
        moments = Moments(HINDSIGHT_NAMES)
        moments.append(self._moment(self._live))
        self.what_if = moments.view(len(self._live))
        self.budget.begin()

    def end_epoch(self, *, full: bool = True) -> EpochReport:
        """Validate on the whole validation set as the observation asks, and report the epoch.

        Not `full`, it is the part so far of an epoch that goes on.
        """
        self.catch_up()
        trainer, validation_set = self.trainer, self.trainer.dataset.validation
        end = trainer.epoch_so_far()
        running = fresh = None
        kind = ""
        layers: tuple[LayerDrift, ...] = ()
        logits_error = math.nan
        if self.observation.epoch_ends:
            if self.observation.epoch_fresh or self.budget.allows(EPOCH):
                kind = EPOCH
                validation = self._validate(validation_set)
                running, fresh = validation.running, validation.fresh
                logits_error = validation.logits_error
                layers = tuple(replace(layer, detail=NO_DETAIL) for layer in validation.layers)
                whole = len(self._live) == len(validation_set) and not self.led
                if whole or not self.observation.live:
                    self._remember(validation)
            else:
                (running,) = self._under([trainer.estimators[OWN]], validation_set)
        hindsight: tuple[float, ...] = ()
        if self.observation.hindsight and trainer.config.has_hindsight:
            moment = self._moment(validation_set)
            hindsight = moment.accuracy
            if not self.observation.live:
                self._moments.append(moment)
        if self.observation.epoch_noise:
            # Of its own draws, so that it is the same whatever else was measured.
            draws = stream(self._seed, Drawn.NOISE, trainer.update)
            self._measure_noise(WINDOW, draws)
        self.budget.observed(kind)
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
            logits_error=logits_error,
            hindsight=tuple(zip(HINDSIGHT_NAMES, hindsight, strict=False)),
            noise=self.noise,
        )
        self._epoch_seconds = self.budget.total
        self._epoch_training = self.budget.training
        self._epoch_images = trainer.images
        if full:  # only now: a run that is stopped while it measures still owes this report
            trainer.begin_epoch()
        return report

    def recalibrate(self, *, apply: bool) -> Recalibration:
        """Find out what pooled statistics of several training batches do; `apply` puts them to use.

        Applied, they replace the user's own running statistics.
        """
        self.catch_up()
        trainer = self.trainer
        rows = []
        for batch in self._recalibration_images.split(RECALIBRATION_BATCH):
            self._breathe()
            rows.append((collect(trainer.model, trainer.buffers, batch), len(batch)))
        row = pool(rows)
        before, after = self._under([trainer.estimators[OWN], row], self._live)
        if apply:
            trainer.estimators.recalibrate(row)
        self.budget.begin()
        return Recalibration(trainer.update, before.accuracy, after.accuracy, apply)

    def state(self) -> ObserverState:
        """Return what `restore` needs to go on from here. Results must have been taken."""
        return ObserverState(
            histories=self.histories.state(),
            moments=self._moments.state(),
            budget=self.budget.state(),
            epoch=(self._epoch_seconds, self._epoch_training, self._epoch_images),
            noise=list(self._measurements),
            noise_draws=self._noise_draws.get_state(),
            divergence=self.divergence,
        )

    def restore(self, state: ObserverState) -> None:
        """Go on from a state, beside a trainer that was restored to the same update.

        Raises BorderError, and RuntimeError for what is no state of a generator.
        """
        self.histories.restore(state.histories)
        self._moments.restore(state.moments)
        self.budget.restore(state.budget)
        self._epoch_seconds, self._epoch_training, self._epoch_images = state.epoch
        self._timed = self.trainer.update
        self._measurements.extend(state.noise)
        self._noise_draws.set_state(state.noise_draws)
        self.divergence = state.divergence

    def _settle(self, kind: str, *, asked: bool) -> None:
        if asked:
            self.budget.begin()
        else:
            self.budget.observed(kind)

    def _validate(self, split: Split) -> Validation:
        trainer = self.trainer
        buffers, own = trainer.buffers, trainer.estimators[OWN]
        if not buffers.layers:
            (score,) = self._under([own], split)
            return Validation(trainer.update, len(split), score, score, ())
        statistics = self._fresh()
        running, fresh = self._under([own, statistics], split)
        self._breathe()
        modes = compare_modes(trainer.model, buffers, own, self._few.images)
        layers = drift(
            buffers,
            own,
            statistics,
            trainer.estimators.unstarted,
            trainer.estimators.start_left,
            modes.errors,
        )
        shifted = shift(buffers, statistics, modes.statistics)
        return Validation(
            trainer.update,
            len(split),
            running,
            fresh,
            layers,
            modes.flipped,
            shifted,
            logits_error=modes.logits_error,
        )

    def _measure_noise(self, times: int, draws: torch.Generator) -> None:
        trainer, train = self.trainer, self.trainer.dataset.train
        for _ in range(times):
            parts = draw(train, draws)
            measured = measure(trainer.model, trainer.buffers, parts, self._breathe)
            self._measurements.append(measured)
        self.noise = estimate(self._measurements, trainer.update, len(train))
        self.histories.append("noise_scale", trainer.update, self.noise.scale)

    def _moment(self, split: Split) -> Moment:
        trainer = self.trainer
        names = (*HINDSIGHT_NAMES, OWN)
        rows = [*(trainer.estimators[name] for name in names), self._fresh()]
        *each, own, fresh = (score.accuracy for score in self._under(rows, split))
        return Moment(trainer.update, tuple(each), own, fresh, trainer.momentum)

    def _fresh(self) -> Tensor:
        self._breathe()
        return collect(self.trainer.model, self.trainer.buffers, self._fresh_images)

    def _under(self, rows: Sequence[Tensor], split: Split) -> list[Score]:
        trainer = self.trainer
        classes = trainer.dataset.classes
        return evaluate(trainer.model, trainer.buffers, rows, split, classes, self._breathe)

    def _remember(self, validation: Validation) -> None:
        self.validation = validation
        self.histories.append_validation(validation)


def _head(split: Split, count: int) -> Split:
    return Split(split.images[:count], split.labels[:count])
