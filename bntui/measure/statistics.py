"""The statistics of our own network's batches, and the pooling of any network's.

Our network's running buffers are scratch space: with torch's momentum at 1 they hold the last batch's
statistics after a training-mode pass, and whatever is evaluated under while evaluating. What is made
of the batches over a run is in `estimators.py`, how far it is from fresh ones in `drift.py`.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bntui.measure.layers import Layers, layers_of, positions_of, running_statistics
from bntui.measure.norms import CLOSED, BatchRenorm, GhostBatchNorm


@dataclass(frozen=True, slots=True)
class Buffers(Layers):
    """The running buffers of every BN layer of a model, as views of one row."""

    layers: tuple[_BatchNorm, ...]
    row: Tensor
    """(2, C), shared with the layers: to write here is to write there."""
    _biased: dict[int, Tensor] = field(default_factory=dict)

    def batch_row(self, images: int) -> Tensor:
        """Return the biased statistics (2, C) of a training-mode pass of so many images.

        Those of ghost BN are the mean of its sub-batches' (see `GhostBatchNorm`).
        """
        return self.row * self.biased(images)

    def batch_rows(self, images: int) -> Tensor:
        """Return the biased statistics (k, 2, C) of each of the k sub-batches of such a pass.

        k is 1 except for ghost BN.
        """
        parts = [layer.sub_batches for layer in self.layers if isinstance(layer, GhostBatchNorm)]
        if not parts or len(parts[0]) == 1:
            return self.batch_row(images)[None]
        return torch.cat(parts, dim=2)

    def prepare(self, update: int) -> None:
        """Make ready for the training-mode pass of the update after `update` ones.

        The row is cleared: after one non-finite batch 0·NaN would keep it NaN.
        """
        self.row.zero_()
        for layer in self.layers:
            if isinstance(layer, BatchRenorm):
                layer.open_limits(update)

    def feed_back(self, row: Tensor) -> None:
        """Let renorm layers correct towards `row` (2, C) from now on: it is seen, not copied."""
        for layer, part in zip(self.layers, self.parts(row), strict=True):
            if isinstance(layer, BatchRenorm):
                layer.running = part

    @contextmanager
    def uncorrected(self) -> Iterator[None]:
        """Let renorm layers be plain BN for a while."""
        renorms = [layer for layer in self.layers if isinstance(layer, BatchRenorm)]
        before = [layer.limits for layer in renorms]
        for layer in renorms:
            layer.limits = CLOSED
        try:
            yield
        finally:
            for layer, limits in zip(renorms, before, strict=True):
                layer.limits = limits

    def biased(self, images: int) -> Tensor:
        """Return the factors (2, C) that turn torch's unbiased statistics of a batch into biased ones.

        torch's running variance is unbiased, n/(n−1) with n = batch·height·width; Keras's is not.
        """
        if images not in self._biased:
            counts = [images * positions for positions in self.positions]
            variance = self.per_channel((n - 1) / n if n > 1 else 1.0 for n in counts)
            self._biased[images] = torch.stack([torch.ones_like(variance), variance])
        return self._biased[images]

    @contextmanager
    def holding(self, row: Tensor) -> Iterator[None]:
        """Put `row` into the buffers for a while, then put the old values back."""
        before = self.row.clone()
        self.row.copy_(row)
        try:
            yield
        finally:
            self.row.copy_(before)


def attach(model: nn.Module, example: Tensor) -> Buffers:
    """Rebind the running buffers of all BN layers of `model` to one row, for good, and return it.

    `example` is one input, (1, …), from which each layer's `positions` are read. It is for networks
    that are trained here; others are measured as they are: see `any_module.py`.
    """
    found = layers_of(model)
    layers = tuple(layer for _, layer in found if isinstance(layer, _BatchNorm))
    model.eval()
    with torch.no_grad():
        positions = positions_of(layers, lambda: model(example))
    channels = tuple(running_statistics(layer)[0].numel() for layer in layers)
    row = torch.zeros(2, sum(channels), device=example.device)
    for layer, part in zip(layers, row.split(channels, dim=1), strict=True):
        layer.momentum = 1.0
        layer.num_batches_tracked = None  # of no use at momentum 1, and one more thing to restore
        layer.running_mean, layer.running_var = part
    return Buffers(
        tuple(name for name, _ in found),
        layers,
        tuple(positions[layer] for layer in layers),
        channels,
        example.device,
        row,
    )


def pool(rows: Iterable[tuple[Tensor, int | Tensor]]) -> Tensor:
    """Combine statistics (2, C) of batches of n images each into those of all images together.

    n may be (C,): 0 in channels that a batch did not reach. One that none reached is as in the last row.

    μ = Σ nᵢμᵢ / Σ nᵢ and σ² = Σ nᵢ(vᵢ + μᵢ²) / Σ nᵢ − μ², in float64: exact where the batches pass
    through the same function, as at fixed weights the first BN layer's do.
    """
    total: int | Tensor = 0
    mean, square = None, None
    row = torch.empty(0)
    for row, images in rows:
        wide = row.to("cpu", torch.float64) if row.device.type == "mps" else row.double()
        images = images.to(wide.device) if isinstance(images, Tensor) else images
        here, here_square = images * wide[0], images * (wide[1] + wide[0] ** 2)
        mean = here if mean is None else mean + here
        square = here_square if square is None else square + here_square
        total = total + images
    if mean is None or square is None or (isinstance(total, int) and not total):
        raise ValueError("pool needs the statistics of at least one image")
    mean, square = mean / total, square / total
    pooled = torch.stack([mean, (square - mean**2).clamp_min(0.0)]).to(row)
    if isinstance(total, Tensor):
        return torch.where((total > 0).to(row.device), pooled, row)
    return pooled
