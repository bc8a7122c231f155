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

from bntui.core.border import Count, Length, Seconds
from bntui.core.config import Observation, RunConfig
from bntui.core.measured import (
    NO_DETAIL,
    ChannelExchanges,
    DataCheck,
    Exchanges,
    Hindsight,
    LayerDrift,
    LayersWaiting,
    Noise,
    Recalibration,
    Validation,
    Waiting,
)
from bntui.core.snapshot import Divergence, EpochReport
from bntui.data.dataset import Split, stratified
from bntui.diagnose.significance import harms
from bntui.measure.budget import Budget, BudgetState
from bntui.measure.counterfactuals import (
    Statistics,
    exchange_channels,
    exchange_layers,
    wait,
    wait_by_layer,
)
from bntui.measure.data_check import InputShift, check_data
from bntui.measure.drift import compare_modes, drift
from bntui.measure.estimators import ESTIMATORS, OWN
from bntui.measure.evaluation import Outcome, evaluate
from bntui.measure.hindsight import Moment, Moments, MomentsState
from bntui.measure.histories import Histories, HistoriesState
from bntui.measure.noise_interval import Measurement
from bntui.measure.noise_scale import WINDOW, draw, estimate, measure
from bntui.measure.random_streams import Drawn, stream
from bntui.measure.statistics import collect, pool
from bntui.train.trainer import Trainer

FRESH_IMAGES = 1024
"""Training images that fresh statistics are taken from, in one pass."""
LIVE_IMAGES = 1000
"""Validation images of a live validation, at most."""
FEW_IMAGES = 200
"""Validation images of the map of all momenta, of the comparison of whole networks, and of live
answers to what is to blame."""
MOST_LAYERS = 6
"""BN layers whose statistics are exchanged, those with the largest local drift."""
RECALIBRATION_IMAGES = 4096
RECALIBRATION_BATCH = 256

VALIDATION, HINDSIGHT, NOISE, EPOCH = "validation", "hindsight", "noise", "epoch"
"""Kinds of observation, each with its price."""
EXCHANGES, WAITING, LAYERS_WAITING, DATA = "exchanges", "waiting", "layers' waiting", "data"
"""The questions that a verdict asks, kinds as well."""
CHANNELS = "channels"
"""A question that only a user asks, of a layer from near."""
WHY = "why"
"""In a round: the next of the questions that the last validation raises."""
ROUND = (VALIDATION, HINDSIGHT, WHY, NOISE, VALIDATION, HINDSIGHT, WHY)
"""The live ones in turn. They cost about the same; the story needs the first two most."""
SUFFERS, SOUND = (EXCHANGES, WAITING, LAYERS_WAITING), (EXCHANGES, DATA)
"""Which questions are asked where validation suffers from the statistics, and where it does not."""
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
        self.exchanges: Exchanges | None = None
        self.waiting: Waiting | None = None
        self.layers_waiting: LayersWaiting | None = None
        self.data_check: DataCheck | None = None
        self.channel_exchanges: ChannelExchanges | None = None
        self.noise: Noise | None = None
        self._breathe = breathe
        self._timed = 0
        self._moments = Moments(HINDSIGHT_NAMES)
        self._measurements: deque[Measurement] = deque(maxlen=WINDOW)
        self._seed = config.seed
        self._noise_draws = stream(config.seed, Drawn.NOISE)
        self._kinds = cycle([kind for kind in ROUND if self._watches(kind)])
        self._questions = 0
        self._next_kind = self._coming_kind()
        self._epoch_seconds = 0.0
        self._epoch_training = 0.0
        self._epoch_images = 0
        # Fixed for the run, so that the curves move with the weights and not with the sample.
        train, validation = trainer.dataset.train, trainer.dataset.validation
        draws = stream(config.seed, Drawn.SAMPLE)
        sample = torch.randperm(len(train), generator=draws).to(trainer.device)
        chosen = sample[:FRESH_IMAGES]
        self._training = Split(train.images[chosen], train.labels[chosen])
        self._recalibration_images = train.images[sample[:RECALIBRATION_IMAGES]]
        self._live = stratified(validation, LIVE_IMAGES)
        self._few = stratified(validation, FEW_IMAGES)
        self._input = InputShift(self._training.images, self._live.images)

    @property
    def hindsight(self) -> Hindsight | None:
        """Every estimator's accuracy at moments of the run so far."""
        whole = self.observation.hindsight and not self.observation.live
        images = self.trainer.dataset.validation if whole else self._few
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
            if look := looks.get(self._next_kind):
                look()
            else:
                self.ask(self._next_kind)
            self._next_kind = self._coming_kind()

    def _coming_kind(self) -> str:
        """Return what is looked at next: of the questions, one that the last validation raises."""
        kind = next(self._kinds)
        if kind != WHY:
            return kind
        self._questions += 1
        raised = self.raised
        return raised[self._questions % len(raised)] if raised else self._coming_kind()

    @property
    def raised(self) -> tuple[str, ...]:
        """The questions that the last validation raises."""
        if self.validation is None:
            return ()
        if not self.trainer.buffers.layers:
            return (DATA,)
        return SUFFERS if harms(self.validation.difference) else SOUND

    def ask(self, question: str, images: int = FEW_IMAGES, *, asked: bool = False) -> None:
        """Answer a question by exchanging statistics or images, on so many images of the live subset.

        What the user asked for takes nothing from the share of the time.
        """
        self.catch_up()
        trainer = self.trainer
        sample = self._few if images == FEW_IMAGES else stratified(self._live, images)
        statistics = Statistics(
            trainer.estimators[OWN],
            self._fresh(),
            trainer.buffers.names,
            trainer.buffers.channels,
        )

        def under(rows: Sequence[Tensor]) -> list[Outcome]:
            return self._under(rows, sample)

        match question:
            case "exchanges":
                self.exchanges = exchange_layers(
                    statistics, self._suspects(), under, trainer.update
                )
            case "waiting":
                self.waiting = wait(statistics, self._left, under, trainer.update, trainer.momentum)
            case "layers' waiting":
                self.layers_waiting = wait_by_layer(
                    statistics, self._suspects(), self._left, under, trainer.update
                )
            case "channels":
                self.channel_exchanges = exchange_channels(
                    statistics, self._suspects(), trainer.buffers.epsilon(), under, trainer.update
                )
            case _:
                training = stratified(self._training, images)
                self.data_check = check_data(
                    trainer,
                    statistics,
                    self._live,
                    training,
                    len(self._training),
                    self._input,
                    self._breathe,
                )
        self._settle(question, asked=asked)

    def explain(self, images: int) -> None:
        """Answer every question that the last validation raises: the user waits for it."""
        for question in self.raised:
            self.ask(question, images, asked=True)

    def _suspects(self) -> list[int]:
        """Return the places of the BN layers to exchange."""
        drifts = self.validation.layers if self.validation else ()
        worst = sorted(range(len(drifts)), key=lambda place: -drifts[place].output_error)
        return sorted(worst[:MOST_LAYERS])

    def _left(self, updates: float) -> float:
        """Return the share of the run's own statistics that so many more updates leave."""
        trainer = self.trainer
        return trainer.estimators.left_after(updates * trainer.moves, trainer.momentum)

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

    def validate_again(self) -> None:
        """Validate as at the end of an epoch, if one was: the statistics are others since."""
        if self.validation is not None:
            self.catch_up()
            self._remember(self._validate(self.trainer.dataset.validation))
            self._settle(VALIDATION, asked=True)

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
                running = self._under([trainer.estimators[OWN]], validation_set)[0].score
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
            # They are of statistics that are no more.
            self.forget_answers()
        self.budget.begin()
        return Recalibration(
            trainer.update, before.score.accuracy, after.score.accuracy, apply, len(self._live)
        )

    def forget_forecasts(self) -> None:
        """Forget in how many updates statistics would be sound: updates leave another share of them."""
        self.waiting = self.layers_waiting = None

    def forget_answers(self) -> None:
        """Forget what was exchanged: the run's own statistics are others from now on."""
        self.exchanges = self.waiting = self.layers_waiting = self.data_check = None
        self.channel_exchanges = None
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
            (only,) = self._under([own], split)
            score = only.score
            return Validation(
                trainer.update, len(split), score, score, (), difference=only.less(only)
            )
        statistics = self._fresh()
        estimators = trainer.estimators
        rows = [own, statistics, *([estimators.unstarted] if estimators.start_left else [])]
        running, fresh, *corrected = self._under(rows, split)
        self._breathe()
        modes = compare_modes(trainer.model, buffers, own, self._few.images)
        layers = drift(
            buffers, own, statistics, estimators.unstarted, estimators.start_left, modes.errors
        )
        return Validation(
            trainer.update,
            len(split),
            running.score,
            fresh.score,
            layers,
            modes.flipped,
            len(self._few),
            running.less(fresh),
            corrected[0].score if corrected else None,
            modes.logits_error,
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
        *each, own, fresh = self._under(rows, split)
        best = max(each, key=lambda row: (row.score.accuracy, -row.score.loss))
        return Moment(
            trainer.update,
            tuple(row.score.accuracy for row in each),
            own.score.accuracy,
            fresh.score.accuracy,
            trainer.momentum,
            tuple(row.less(own) for row in each),
            tuple(row.less(best) for row in each),
        )

    def _fresh(self) -> Tensor:
        self._breathe()
        return collect(self.trainer.model, self.trainer.buffers, self._training.images)

    def _under(self, rows: Sequence[Tensor], split: Split) -> list[Outcome]:
        trainer = self.trainer
        classes = trainer.dataset.classes
        return evaluate(trainer.model, trainer.buffers, rows, split, classes, self._breathe)

    def _remember(self, validation: Validation) -> None:
        self.validation = validation
        self.histories.append_validation(validation)
