"""The histories of a run by their names, which `Snapshot.series` lists, and what they are made of."""

import math
from dataclasses import dataclass
from typing import Annotated

from bntui.core.border import Length
from bntui.core.measured import Validation
from bntui.core.run import Point
from bntui.core.series import Series, SeriesState, SeriesView, Smoothing, SmoothingState

MOST_SERIES = 1000
"""Two for each of the most layers are a tenth of it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one update showed of itself."""

    update: int
    loss: float
    accuracy: float
    broken_layer: str | None
    """The first BN layer, in the order of the forward pass, with non-finite batch statistics."""


@dataclass(frozen=True, slots=True)
class EpochEnd:
    """What training alone knows of an epoch: averages over its images, as in Keras."""

    epoch: int
    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class HistoriesState:
    """Every history by its name, and the moving averages."""

    series: Annotated[dict[str, SeriesState], Length(0, MOST_SERIES)]
    smooth_loss: SmoothingState
    smooth_acc: SmoothingState


class Histories:
    """Appended to by one thread, with updates that do not fall."""

    def __init__(self) -> None:
        self.journal: list[Point] | None = None
        """What was appended since somebody last looked; None if nobody does."""
        self._series: dict[str, Series] = {}
        self._smoothing = {"loss": Smoothing(), "acc": Smoothing()}

    def views(self) -> dict[str, SeriesView]:
        """Return every history so far, by name."""
        return {name: series.view() for name, series in self._series.items()}

    def append(self, name: str, update: int, value: float) -> None:
        """Add one value to one history."""
        self._series.setdefault(name, Series()).append(update, value)
        if self.journal is not None:
            self.journal.append((name, update, value))

    def append_result(self, result: Result) -> None:
        """Add what an update showed of itself, and its moving averages."""
        self.append("train_loss", result.update, result.loss)
        self.append("train_acc", result.update, result.accuracy)
        self._append_smooth("loss", result.update, result.loss)
        self._append_smooth("acc", result.update, result.accuracy)

    def append_training(self, what: str, update: int, value: float) -> None:
        """Add the "loss" or the "acc" of a training batch, and its moving average."""
        self.append(f"train_{what}", update, value)
        self._append_smooth(what, update, value)

    def _append_smooth(self, what: str, update: int, value: float) -> None:
        self.append(f"smooth_{what}", update, self._smoothing[what].next(value))

    def append_validation(self, validation: Validation, *, whole: bool = True) -> None:
        """Add the scores of a validation and every layer's drift.

        Where it may not be `whole`, a score that is NaN was not measured, and has no history.
        """
        update, running, fresh = validation.update, validation.running, validation.fresh
        scores = {
            "val_loss": running.loss,
            "val_acc": running.accuracy,
            "fresh_loss": fresh.loss,
            "fresh_acc": fresh.accuracy,
        }
        for name, score in scores.items():
            if whole or not math.isnan(score):
                self.append(name, update, score)
        for layer in validation.layers:
            self.append(f"drift:{layer.name}", update, layer.log_var_off)
            self.append(f"gap:{layer.name}", update, layer.mean_gap)

    def state(self) -> HistoriesState:
        """Return what `restore` needs to go on from here."""
        return HistoriesState(
            series={name: series.state() for name, series in self._series.items()},
            smooth_loss=self._smoothing["loss"].state(),
            smooth_acc=self._smoothing["acc"].state(),
        )

    def restore(self, state: HistoriesState) -> None:
        """Go on from a state. Raises BorderError."""
        for name, series in state.series.items():
            self._series[name] = Series()
            self._series[name].restore(series)
        self._smoothing["loss"].restore(state.smooth_loss)
        self._smoothing["acc"].restore(state.smooth_acc)
