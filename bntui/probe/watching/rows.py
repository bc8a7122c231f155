"""What every estimator of running statistics makes of somebody else's batches, layer by layer.

As `measure/estimators.py`, but each layer has a count of moves, a momentum and a start of its own.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from bntui.core.config import torch_momentum
from bntui.core.estimators import MOMENTA, NAMED, ROWS
from bntui.probe.watching.recovered import per_channel
from bntui.probe.watching.tracked_layer import TrackedLayer

_VARYING = tuple(one.kept for one in NAMED if one.kept)
_CONSTANT = [torch_momentum(momentum) for momentum in MOMENTA]


class Rows:
    """The rows (estimators, 2, C), in the order of `ROWS`; all begin with `start`, (2, C)."""

    def __init__(self, start: Tensor) -> None:
        self.rows = start.float().expand(len(ROWS), -1, -1).clone()
        self._constant = torch.tensor(_CONSTANT, device=start.device)[:, None, None]

    def __getitem__(self, name: str) -> Tensor:
        """Return a copy of the row (2, C) of one of `ROWS`. Raises ValueError for another name."""
        return self.rows[ROWS.index(name)].clone()

    def begin(self, layer: TrackedLayer, values: Tensor) -> None:
        """Let a layer's channels begin again with `values` (2, channels) or (estimators, 2, channels)."""
        self.rows[..., layer.start : layer.end] = values.to(self.rows)

    def move(self, layers: Sequence[TrackedLayer], batch: Tensor) -> None:
        """Move the rows of neighbouring layers towards statistics (2, channels) of a batch.

        The move must have been counted in each layer. One `lerp` where all have moved alike so far.
        """
        rows = self.rows[..., layers[0].start : layers[-1].end]
        if len({(one.moves, one.product, one.share) for one in layers}) == 1:
            weights = torch.tensor(_CONSTANT + _varying(layers[0])).to(batch, non_blocking=True)
            rows.lerp_(batch, weights[:, None, None])
            return
        rows[: len(MOMENTA)].lerp_(batch, self._constant)
        varying = per_channel(layers, [_varying(one) for one in layers])
        rows[len(MOMENTA) :].lerp_(batch, varying.T.to(batch, non_blocking=True)[:, None])


def _varying(layer: TrackedLayer) -> list[float]:
    """Return the shares of the new value that the estimators without a constant one take in.

    Of a momentum that keeps all, as of one that tends to it, a bias-corrected average is cumulative.
    """
    kept, product = 1.0 - layer.share, layer.product
    if product == 1.0:
        kept, product = 1.0 - 1.0 / layer.moves, 0.0
    return [1.0 - share(kept, layer.moves, product) for share in _VARYING]
