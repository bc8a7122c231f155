"""What training-mode passes over training batches tell."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from bntui.probe.scoring import Scored


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """Training-mode passes over the training batches, as the loader makes them."""

    rows: tuple[tuple[Tensor, int], ...]
    """Of each batch: biased statistics (2, C), and its samples."""
    calls: tuple[dict[nn.Module, list[tuple[Tensor, Tensor]]], ...]
    """Of each batch, the statistics of every call of the layers that are called more than once."""
    values: dict[nn.Module, int]
    """Values per channel that the largest batch brought each layer that was called: its smallest call's."""
    scored: Scored | None
    """What the outputs were worth on the samples that were kept, dropout and all; None without scores."""
    labels: tuple[Tensor, ...]
    """Class labels (N,) of each batch; empty where there are none."""
    kept: tuple[Any, ...]
    """The batches that begin the pass, with at most as many samples as are validated on."""
    refused: int
    """Batches that torch refused for having one value per channel."""

    @property
    def samples(self) -> int:
        """How many samples there were."""
        return sum(count for _, count in self.rows)

    @property
    def batch(self) -> int:
        """Samples of the largest batch."""
        return max((count for _, count in self.rows), default=1)
