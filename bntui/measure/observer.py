"""Measures a run beside its training: when, what, and on which images.

Two validations of the same weights, the drift of every BN layer, the map of all momenta, the gradient
noise scale, and epoch reports. What was measured over the run is kept in `histories.py`.
Nothing here changes a bit of the weights: what is drawn at random comes from a generator of its own.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Annotated

import torch
from torch import Tensor

from bntui.core.border import Count, Length, Seconds
from bntui.core.config import Observation
from bntui.core.measured import NO_DETAIL, Hindsight, LayerDrift, Noise, Recalibration, Validation
from bntui.core.snapshot import Divergence, EpochReport
from bntui.core.thinned import Thinned
from bntui.measure.budget import Budget, BudgetState
from bntui.measure.drift import ROWS_A_CHANNEL
from bntui.measure.estimators import OWN
from bntui.measure.hindsight import Moments, MomentsState
from bntui.measure.histories import Histories, HistoriesState
from bntui.measure.layers import Layers
from bntui.measure.noise_interval import Measurement
from bntui.measure.noise_scale import WINDOW, draw, estimate, measure
from bntui.measure.questions import Question, Questions
from bntui.measure.random_streams import Drawn, stream
from bntui.measure.subject import TrainingRun
from bntui.measure.subsets import FEW_IMAGES, draw_subsets
from bntui.measure.validation import HINDSIGHT_NAMES, Validator

MOST_PAST, PAST_BYTES = 64, 32_000_000
"""Validations of the past that are kept with every channel, at most; fewer where they are larger."""
VALIDATION, HINDSIGHT, NOISE, EPOCH = "validation", "hindsight", "noise", "epoch"
"""Kinds of observation, each with its price; questions are kinds as well."""
WHY = "why"
"""In a round: the next of the questions that the last validation raises."""
ROUND = (VALIDATION, HINDSIGHT, WHY, NOISE, VALIDATION, HINDSIGHT, WHY)
"""The live ones in turn. They cost about the same; the explorer needs the first two most."""


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
    """Watches one run."""

    def __init__(
        self,
        run: TrainingRun,
        observation: Observation,
        seed: int,
        check_stop: Callable[[], None] = lambda: None,
    ) -> None:
        """`check_stop` is called wherever waiting is possible: it may wait or raise."""
        self.observation = observation
        self.led = False
        """Whether another observer decides when to look: of two twins the first one's."""
        self.budget = Budget()
        self.histories = Histories()
        self.divergence: Divergence | None = None
        self.validation: Validation | None = None
        self.what_if: Hindsight | None = None
        self.noise: Noise | None = None
        self.past: tuple[Validation, ...] = ()
        """Some of the validations so far with every channel, the newest among them; thinned out."""
        self.subsets = draw_subsets(run.subject, seed)
        self._run = run
        self._check_stop = check_stop
        self._validator = Validator(run, self.subsets, check_stop)
        self.questions = Questions(self._validator)
        self._timed = 0
        self._moments = Moments(HINDSIGHT_NAMES)
        self._past = Thinned[Validation](_most_past(run.subject.layers))
        self._measurements: deque[Measurement] = deque(maxlen=WINDOW)
        self._seed = seed
        self._noise_draws = stream(seed, Drawn.NOISE)
        self._kinds = cycle([kind for kind in ROUND if self._watches(kind)])
        self._questions_raised = 0
        self._next_kind = self._coming_kind()
        self._epoch_seconds = 0.0
        self._epoch_training = 0.0
        self._epoch_images = 0

    @property
    def hindsight(self) -> Hindsight | None:
        """Every estimator's accuracy at moments of the run so far."""
        whole = self.observation.hindsight and not self.observation.live
        images = self._run.subject.validation if whole else self.subsets.few
        return self._moments.view(len(images)) if self._moments else None

    @property
    def images_per_s(self) -> float:
        """Training images a second, over training steps only."""
        return self._run.images / self.budget.training if self.budget.training else 0.0

    def catch_up(self) -> None:
        """Fetch the results that wait on the device. What came before counts as training."""
        for result in self._run.take_results():
            self.histories.append_result(result)
            broken = result.broken_layer is not None or not math.isfinite(result.loss)
            if broken and self.divergence is None:
                self.divergence = Divergence(result.update, result.broken_layer or "loss")
        self.budget.trained()
        if self._run.update > self._timed:
            self._timed = self._run.update
            self.histories.append("images", self._timed, self._run.images)
            self.histories.append("seconds", self._timed, self.budget.total)

    def observe_if_due(self) -> None:
        """Make the next live observation if it keeps within the share of the time."""
        if self.observation.live and not self.led and self.budget.allows(self._next_kind):
            looks = {
                VALIDATION: self.validate,
                HINDSIGHT: self.look_back,
                NOISE: self.measure_noise,
            }
            if look := looks.get(self._next_kind):
                look()
            else:
                self.ask(Question(self._next_kind))
            self._next_kind = self._coming_kind()

    def _coming_kind(self) -> str:
        """Return what is looked at next: of the questions, one that the last validation raises."""
        kind = next(self._kinds)
        if kind != WHY:
            return kind
        self._questions_raised += 1
        raised = self.questions.raised(self.validation)
        return raised[self._questions_raised % len(raised)] if raised else self._coming_kind()

    def ask(self, question: Question, images: int = FEW_IMAGES, *, asked: bool = False) -> None:
        """Answer a question by exchanging statistics or images, on so many images of the live subset.

        What the user asked for takes nothing from the share of the time.
        """
        self.catch_up()
        self.questions.answer(question, self.validation, images)
        self._settle(question, asked=asked)

    def explain(self, images: int) -> None:
        """Answer every question that the last validation raises: the user waits for it."""
        for question in self.questions.raised(self.validation):
            self.ask(question, images, asked=True)

    def _watches(self, kind: str) -> bool:
        if kind == HINDSIGHT:
            return self._run.has_hindsight
        return kind != NOISE or self.observation.noise_scale

    def validate(self, *, asked: bool = False) -> None:
        """Validate on the live subset, under running and under fresh statistics.

        What the user `asked` for takes nothing from the share of the time.
        """
        self.catch_up()
        self._remember(self._validator.validate(self.subsets.live))
        self._settle(VALIDATION, asked=asked)

    def validate_again(self) -> None:
        """Validate as at the end of an epoch, if one was: the statistics are others since."""
        if self.validation is not None:
            self.catch_up()
            self._remember(self._validator.validate(self._run.subject.validation))
            self._settle(VALIDATION, asked=True)

    def look_back(self, *, asked: bool = False) -> None:
        """Validate on a few images under every estimator, for the map of all momenta."""
        self.catch_up()
        self._moments.append(self._validator.moment(self.subsets.few, self._moments.recommended))
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
        moments.append(self._validator.moment(self.subsets.live))
        self.what_if = moments.view(len(self.subsets.live))
        self.budget.begin()

    def end_epoch(self, *, full: bool = True) -> EpochReport:
        """Validate on the whole validation set as the observation asks, and report the epoch.

        Not `full`, it is the part so far of an epoch that goes on.
        """
        self.catch_up()
        run, validation_set = self._run, self._run.subject.validation
        validator = self._validator.at_these_weights()
        end = run.epoch_so_far()
        running = fresh = moment = remembered = None
        kind = ""
        layers: tuple[LayerDrift, ...] = ()
        logits_error = math.nan
        if self.observation.epoch_ends:
            if self.observation.epoch_fresh or self.budget.allows(EPOCH):
                kind = EPOCH
                validation = validator.validate(validation_set)
                running, fresh = validation.running, validation.fresh
                logits_error = validation.logits_error
                layers = tuple(replace(layer, detail=NO_DETAIL) for layer in validation.layers)
                whole = len(self.subsets.live) == len(validation_set) and not self.led
                if whole or not self.observation.live:
                    remembered = validation
            else:
                running = validator.under([run.estimators[OWN]], validation_set)[0].score
        if self.observation.hindsight and run.has_hindsight:
            moment = validator.moment(validation_set, self._moments.recommended)
        if self.observation.epoch_noise:
            # Of its own draws, so that it is the same whatever else was measured.
            draws = stream(self._seed, Drawn.NOISE, run.update)
            self._measure_noise(WINDOW, draws)
        # Only now: a run that is stopped while it measures will measure all of it again.
        if remembered:
            self._remember(remembered)
        if moment and not self.observation.live:
            self._moments.append(moment)
        self.budget.observed(kind)
        seconds = self.budget.training - self._epoch_training
        images = run.images - self._epoch_images
        report = EpochReport(
            epoch=end.epoch,
            update=run.update,
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
            hindsight=tuple(zip(HINDSIGHT_NAMES, moment.accuracy, strict=True)) if moment else (),
            noise=self.noise,
        )
        self._epoch_seconds = self.budget.total
        self._epoch_training = self.budget.training
        self._epoch_images = run.images
        if full:  # only now: a run that is stopped while it measures still owes this report
            run.begin_epoch()
        return report

    def recalibrate(self, *, apply: bool) -> Recalibration:
        """Find out what pooled statistics of several training batches do; `apply` puts them to use.

        Applied, they replace the user's own running statistics.
        """
        self.catch_up()
        run, live = self._run, self.subsets.live
        row = self._validator.recalibrated()
        before, after = self._validator.under([run.estimators[OWN], row], live)
        if apply:
            run.estimators.recalibrate(row)
            # They are of statistics that are no more.
            self.forget_answers()
        self.budget.begin()
        return Recalibration(
            run.update, before.score.accuracy, after.score.accuracy, apply, len(live)
        )

    def forget_answers(self) -> None:
        """Forget what was exchanged: the run's own statistics are others from now on."""
        self.questions.forget()
        self._moments.forget_comparisons()

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
        """Go on from a state, beside a run that was restored to the same update.

        Raises BorderError, and RuntimeError for what is no state of a generator.
        """
        self.histories.restore(state.histories)
        self._moments.restore(state.moments)
        self.budget.restore(state.budget)
        self._epoch_seconds, self._epoch_training, self._epoch_images = state.epoch
        self._timed = self._run.update
        self._measurements.extend(state.noise)
        self._noise_draws.set_state(state.noise_draws)
        self.divergence = state.divergence

    def _settle(self, kind: str, *, asked: bool) -> None:
        if asked:
            self.budget.begin()
        else:
            self.budget.observed(kind)

    def _measure_noise(self, times: int, draws: torch.Generator) -> None:
        run, training = self._run, self._run.subject.training
        for _ in range(times):
            parts = draw(training, draws)
            self._measurements.append(measure(run.subject, parts, self._check_stop))
        self.noise = estimate(self._measurements, run.update, len(training))
        self.histories.append("noise_scale", run.update, self.noise.scale)

    def _remember(self, validation: Validation) -> None:
        self.validation = validation
        self.histories.append_validation(validation)
        if validation.layers:
            self._past.append(validation)
            self.past = tuple(self._past.items)


def _most_past(layers: Layers) -> int:
    """Return how many validations are kept with every channel: an even number."""
    size = 4 * ROWS_A_CHANNEL * max(1, sum(layers.channels))
    return max(2, min(MOST_PAST, PAST_BYTES // size) // 2 * 2)
