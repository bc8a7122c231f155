"""What looks need of the statistics of a training: part of what `batch_statistics.Statistics` has."""

from contextlib import AbstractContextManager
from typing import Protocol

from torch import Tensor

from bntui.measure.estimators import LastMove
from bntui.measure.layers import Layers

RECENT = 8
"""Updates whose batch statistics `Counted.recent` is the mean of."""


class Counted(Protocol):
    """Running statistics as every estimator has them, kept up beside a training."""

    @property
    def layers(self) -> Layers:
        """The layers with running statistics."""
        ...

    @property
    def last_move(self) -> LastMove | None:
        """What the last update did to the own row."""
        ...

    @property
    def start_left(self) -> float:
        """The share of the start in the own row."""
        ...

    @property
    def calls(self) -> tuple[int, ...]:
        """Training-mode calls of each layer in the last update."""
        ...

    @property
    def usual_calls(self) -> tuple[int, ...]:
        """Training-mode calls of each layer that each of the last updates has made, at the least."""
        ...

    @property
    def momentum(self) -> tuple[float | None, ...]:
        """torch's, of each layer; None for a cumulative average."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not measured, and why."""
        ...

    def row(self, name: str) -> Tensor:
        """Return the row (2, C) of one of `core.estimators.ROWS`."""
        ...

    def recent(self) -> Tensor | None:
        """Return the mean (2, C) of the last updates' batch statistics."""
        ...

    def suspended(self) -> AbstractContextManager[None]:
        """Return a context in which passes do not count."""
        ...
