"""The questions that a verdict asks of a run, which are answered by exchanging statistics or images."""

from collections.abc import Sequence
from enum import StrEnum

from torch import Tensor

from bntui.core import rules
from bntui.core.config import Knobs, RunConfig
from bntui.core.measured import (
    ChannelExchanges,
    DataCheck,
    Exchanges,
    LayersWaiting,
    Validation,
    Waiting,
)
from bntui.diagnose.significance import harms
from bntui.measure.counterfactuals import (
    Statistics,
    Turn,
    exchange_channels,
    exchange_layers,
    wait,
    wait_by_layer,
)
from bntui.measure.data_check import InputShift, check_data
from bntui.measure.estimators import OWN
from bntui.measure.evaluation import Outcome
from bntui.measure.subject import stratified
from bntui.measure.subsets import FEW_IMAGES
from bntui.measure.validation import Validator

MOST_LAYERS = 6
"""BN layers whose statistics are exchanged, those with the largest local drift."""


class Question(StrEnum):
    """What can be asked of the weights and statistics at hand."""

    EXCHANGES = "exchanges"
    """What would each layer's fresh statistics alone give?"""
    WAITING = "waiting"
    """After how many more updates would the running statistics be sound?"""
    LAYERS_WAITING = "layers' waiting"
    """The same of each layer alone."""
    DATA = "data"
    """Do the validation images differ from the training images?"""
    CHANNELS = "channels"
    """Which channels do harm? Only a user asks, by opening the screen of a layer."""


SUFFERS = (Question.EXCHANGES, Question.WAITING, Question.LAYERS_WAITING)
"""The questions that are asked where validation suffers from the statistics."""
SOUND = (Question.EXCHANGES, Question.DATA)
"""Those that are asked where it does not."""


class Questions:
    """The last answer to each question; None where it was not asked, or is of no use any more."""

    def __init__(self, validator: Validator) -> None:
        self.exchanges: Exchanges | None = None
        self.waiting: Waiting | None = None
        self.layers_waiting: LayersWaiting | None = None
        self.data_check: DataCheck | None = None
        self.channel_exchanges: ChannelExchanges | None = None
        self._validator = validator
        subsets = validator.subsets
        self._input = InputShift(subsets.fresh.inputs, subsets.live.inputs)

    def raised(self, validation: Validation | None) -> tuple[Question, ...]:
        """Return the questions that the last validation raises."""
        if validation is None:
            return ()
        if not self._validator.run.subject.layers:
            return (Question.DATA,)
        return SUFFERS if harms(validation.difference) else SOUND

    def answer(
        self, question: Question, validation: Validation | None, images: int = FEW_IMAGES
    ) -> None:
        """Answer a question on so many of the live samples, after the last validation."""
        validator, run = self._validator, self._validator.run
        subject, subsets, update = run.subject, validator.subsets, run.update
        sample = subsets.few if images == FEW_IMAGES else stratified(subsets.live, images)
        layers = subject.layers
        statistics = Statistics(
            run.estimators[OWN], validator.fresh(), layers.names, layers.channels
        )
        suspects = _suspects(validation)

        def under(rows: Sequence[Tensor]) -> list[Outcome]:
            return validator.under(rows, sample)

        match question:
            case Question.EXCHANGES:
                self.exchanges = exchange_layers(statistics, suspects, under, update)
            case Question.WAITING:
                self.waiting = wait(statistics, self._left, under, update, run.momentum)
            case Question.LAYERS_WAITING:
                self.layers_waiting = wait_by_layer(statistics, suspects, self._left, under, update)
            case Question.CHANNELS:
                self.channel_exchanges = exchange_channels(
                    statistics, suspects, layers.epsilon(), under, update
                )
            case Question.DATA:
                self.data_check = check_data(
                    subject,
                    update,
                    statistics,
                    subsets.live,
                    stratified(subsets.fresh, images),
                    len(subsets.fresh),
                    self._input,
                    validator.check_stop,
                )

    def turn(self, config: RunConfig, before: Knobs, now: Knobs) -> None:
        """Reckon forecasts anew where updates leave another share of the statistics.

        Forget them where that share is no constant, and where none was left before.
        """
        was, kept = rules.kept(config, before), rules.kept(config, now)
        if was == kept:
            return
        if rules.forgets_start(now) or not was:
            self.waiting = self.layers_waiting = None
            return
        turn = Turn(self._validator.run.update, was, kept, rules.momentum(config, now))
        self.waiting = self.waiting and turn.of(self.waiting)
        self.layers_waiting = self.layers_waiting and turn.of_layers(self.layers_waiting)

    def forget(self) -> None:
        """Forget every answer: the run's own statistics are others from now on."""
        self.exchanges = self.waiting = self.layers_waiting = self.data_check = None
        self.channel_exchanges = None

    def _left(self, updates: float) -> float:
        """Return the share of the run's own statistics that so many more updates leave."""
        run = self._validator.run
        return run.estimators.left_after(updates * run.moves, run.momentum)


def _suspects(validation: Validation | None) -> list[int]:
    """Return the places of the BN layers to exchange."""
    drifts = validation.layers if validation else ()
    worst = sorted(range(len(drifts)), key=lambda place: -drifts[place].output_error)
    return sorted(worst[:MOST_LAYERS])
