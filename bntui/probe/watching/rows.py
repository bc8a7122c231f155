"""What every estimator of running statistics makes of somebody else's batches, layer by layer.

As `measure/estimators.py`, but each layer has a count of moves, a momentum and a start of its own.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from bntui.core.config import torch_momentum
from bntui.core.estimators import MOMENTA, NAMED, ROWS
from bntui.probe.watching.tracked_layer import TrackedLayer

_VARYING = tuple(one.kept for one in NAMED if one.kept)
_CONSTANT = [torch_momentum(momentum) for momentum in MOMENTA]


class Rows:
    """The rows (estimators, 2, C), in the order of `ROWS`; all begin with `start`, (2, C)."""

    def __init__(self, start: Tensor) -> None:
        self.rows = start.float().expand(len(ROWS), -1, -1).clone()

    def __getitem__(self, name: str) -> Tensor:
        """Return a copy of the row (2, C) of one of `ROWS`. Raises ValueError for another name."""
        return self.rows[ROWS.index(name)].clone()

    def begin(self, place: slice, values: Tensor) -> None:
        """Let some channels begin again with `values` (2, channels)."""
        self.rows[..., place] = values.float()

    def move(self, layers: Sequence[TrackedLayer], batch: Tensor) -> None:
        """Move the rows of neighbouring layers towards statistics (2, channels) of a batch.

        The move must have been counted in each layer.
        """
        first, last = layers[0], layers[-1]
        rows = self.rows[..., first.start : last.end]
        if len({(one.moves, one.product, one.share) for one in layers}) == 1:
            weights = torch.tensor(_CONSTANT + _varying(first), device=batch.device)
            rows.lerp_(batch, weights[:, None, None])
            return
        constant = torch.tensor(_CONSTANT, device=batch.device)
        rows[: len(MOMENTA)].lerp_(batch, constant[:, None, None])
        varying = torch.tensor([_varying(one) for one in layers])
        channels = torch.tensor([one.end - one.start for one in layers])
        each = varying.repeat_interleave(channels, 0).T.to(batch.device, non_blocking=True)
        rows[len(MOMENTA) :].lerp_(batch, each[:, None])


def _varying(layer: TrackedLayer) -> list[float]:
    """Return the shares of the new value that the estimators without a constant one take in."""
    kept = 1.0 - layer.share
    return [1.0 - share(kept, layer.moves, layer.product) for share in _VARYING]
