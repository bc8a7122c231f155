"""Batch normalization's statistics: collect, estimate, pool, compare.

Running statistics never feed back into training, so one run can carry any number of estimators of
them. The BN layers' own buffers are scratch space: with torch's momentum at 1 they hold the last
batch's statistics after a training-mode pass, and an estimator's while evaluating under it.

All statistics of a network are one *row*: a float32 tensor (2, C) with the means and the biased
variances of all C channels, layer after layer. Works on any `nn.Module` with BN layers.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bntui.engine.config import MOMENTA
from bntui.engine.snapshot import LayerDrift

OWN = "own"
CORRECTED = "bias-corrected"
CUMULATIVE = "cumulative"
WARM_UP = "warm-up"
ESTIMATORS = (OWN, *(f"{m:g}" for m in MOMENTA), CORRECTED, CUMULATIVE, WARM_UP)
"""The rows that every run keeps: the user's own first, which follows live changes of momentum."""

DEAD = 10.0
"""A channel whose fresh variance is below this many epsilons is dead: it carries no signal."""


@dataclass(frozen=True, slots=True)
class Buffers:
    """The running buffers of every BN layer of a model, as views of one row."""

    names: tuple[str, ...]
    layers: tuple[_BatchNorm, ...]
    positions: tuple[int, ...]
    """Values per channel that one image brings to each layer: height times width."""
    row: Tensor
    """(2, C), shared with the layers: to write here is to write there."""

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of each layer; they sum to C."""
        return tuple(layer.num_features for layer in self.layers)

    def per_channel(self, values: Iterable[float]) -> Tensor:
        """Repeat one value a layer over its channels: (C,)."""
        repeated = np.repeat(np.fromiter(values, np.float32), self.channels)
        return torch.from_numpy(repeated).to(self.row.device)

    def biased(self, images: int) -> Tensor:
        """Return the factors (2, C) that turn torch's unbiased statistics of a batch into biased ones.

        torch's running variance is unbiased, n/(n−1) with n = batch·height·width; Keras's is not.
        """
        counts = [images * positions for positions in self.positions]
        variance = self.per_channel((n - 1) / n if n > 1 else 1.0 for n in counts)
        return torch.stack([torch.ones_like(variance), variance])

    def scale(self) -> Tensor:
        """Return the learned scale γ of every channel: (C,)."""
        return torch.cat([layer.weight.detach() for layer in self.layers])

    def epsilon(self) -> Tensor:
        """Return the epsilon of every channel: (C,)."""
        return self.per_channel(layer.eps for layer in self.layers)

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
    """Rebind the running buffers of all BN layers of `model` to one row and return it.

    `example` is one input, (1, …), from which each layer's `positions` are read.
    """
    found = [(n, m) for n, m in model.named_modules() if isinstance(m, _BatchNorm)]
    names, layers = tuple(n for n, _ in found), tuple(m for _, m in found)
    positions: dict[nn.Module, int] = {}

    def note(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        positions[layer] = inputs[0][0].numel() // inputs[0].shape[1]

    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    model.eval()
    with torch.no_grad():
        model(example)
    for hook in hooks:
        hook.remove()

    row = torch.zeros(2, sum(layer.num_features for layer in layers), device=example.device)
    start = 0
    for layer in layers:
        stop = start + layer.num_features
        layer.momentum = 1.0
        layer.running_mean, layer.running_var = row[0, start:stop], row[1, start:stop]
        start = stop
    return Buffers(names, layers, tuple(positions[layer] for layer in layers), row)


def initial(buffers: Buffers) -> Tensor:
    """Return the row that Keras and torch start from: mean 0, variance 1."""
    row = torch.zeros_like(buffers.row)
    row[1] = 1.0
    return row


class Estimators:
    """Every row of running statistics of a run, moved together by one `lerp` an update.

    With momentum m and batch statistics b, a row r becomes m·r + (1−m)·b, where m is
    - the user's own, or one of the constant `MOMENTA`;
    - bias-corrected (Kingma & Ba 2014, 1412.6980): r̂ = (r − P·r₀)/(1 − P) with P the product of all
      momenta so far, kept as a row of its own moved with weight (1−m)/(1−P), since the subtraction
      cancels in float32;
    - cumulative: 1 − 1/t at update t, the plain average of all batches;
    - warm-up: min(m, 1 − 1/t).
    """

    def __init__(self, buffers: Buffers) -> None:
        self.rows = initial(buffers).expand(len(ESTIMATORS), -1, -1).clone()
        """(estimators, 2, C), in the order of `ESTIMATORS`."""
        self.start_left = 1.0
        """The share of the start value in the user's own row."""
        self._momenta_product = 1.0
        self._updates = 0

    def __getitem__(self, name: str) -> Tensor:
        """Return the row (2, C) of one estimator."""
        return self.rows[ESTIMATORS.index(name)]

    def update(self, batch: Tensor, momentum: float) -> None:
        """Move every row towards the statistics (2, C) of one batch."""
        self._updates += 1
        self._momenta_product *= momentum
        self.start_left *= momentum
        mean_weight = 1.0 / self._updates
        weights = [
            1.0 - momentum,
            *(1.0 - m for m in MOMENTA),
            (1.0 - momentum) / (1.0 - self._momenta_product),
            mean_weight,
            max(1.0 - momentum, mean_weight),
        ]
        weight = torch.tensor(weights, dtype=batch.dtype).to(batch.device, non_blocking=True)
        self.rows.lerp_(batch, weight[:, None, None])

    def recalibrate(self, row: Tensor) -> None:
        """Replace the user's own row; the others stay what they would have been."""
        self[OWN].copy_(row)
        self.start_left = 0.0


def collect(model: nn.Module, buffers: Buffers, images: Tensor) -> Tensor:
    """Return the biased statistics (2, C) of one training-mode pass; changes nothing.

    `images` is one batch (N, …): every layer sees the output of layers that normalise with this
    batch's own statistics, as in training.
    """
    was_training = model.training
    model.train()
    try:
        with torch.no_grad(), buffers.holding(torch.zeros_like(buffers.row)):
            model(images)
            return buffers.row * buffers.biased(len(images))
    finally:
        model.train(was_training)


def pool(rows: Iterable[tuple[Tensor, int]]) -> Tensor:
    """Combine statistics (2, C) of batches of n images each into those of all images together.

    μ = Σ nᵢμᵢ / Σ nᵢ and σ² = Σ nᵢ(vᵢ + μᵢ²) / Σ nᵢ − μ², in float64: exact where the batches pass
    through the same function, as at fixed weights the first BN layer's do.
    """
    total, mean, square = 0, None, None
    dtype = torch.float32
    for row, images in rows:
        dtype = row.dtype
        wide = row.to("cpu", torch.float64) if row.device.type == "mps" else row.double()
        here, here_square = images * wide[0], images * (wide[1] + wide[0] ** 2)
        mean = here if mean is None else mean + here
        square = here_square if square is None else square + here_square
        total += images
    if mean is None or square is None:
        raise ValueError("pool needs the statistics of at least one batch")
    mean, square = mean / total, square / total
    return torch.stack([mean, (square - mean**2).clamp_min(0.0)]).to(dtype)


def drift(
    buffers: Buffers, running: Tensor, fresh: Tensor, start_left: float
) -> tuple[LayerDrift, ...]:
    """Compare running with fresh statistics, both (2, C), layer by layer.

    Per channel, with running (r, v), fresh (μ, σ²), scale γ and epsilon e:
    - mean gap |r−μ|/√(σ²+e), in standard deviations;
    - log-variance ratio ln[(v+e)/(σ²+e)];
    - output error √(γ²[(r−μ)²/(v+e) + (σ/√(v+e) − σ/√(σ²+e))²]): the RMS difference between what
      the layer puts out in eval and in training mode.
    Dead channels (σ² < 10e) are left out of the first two, and counted; so are non-finite ones.
    """
    e = buffers.epsilon()
    (r, v), (mu, variance) = running, fresh
    sigma, running_deviation, fresh_deviation = (
        variance.sqrt(),
        (v + e).sqrt(),
        (variance + e).sqrt(),
    )
    gap = (r - mu).abs() / fresh_deviation
    log_ratio = ((v + e) / (variance + e)).log()
    error_squared = buffers.scale() ** 2 * (
        ((r - mu) / running_deviation) ** 2
        + (sigma / running_deviation - sigma / fresh_deviation) ** 2
    )
    table = torch.stack([gap, log_ratio, error_squared, (variance < DEAD * e).to(gap.dtype)])
    by_layer = np.split(table.cpu().numpy(), np.cumsum(buffers.channels)[:-1], axis=1)
    return tuple(
        _summary(name, part, start_left) for name, part in zip(buffers.names, by_layer, strict=True)
    )


def _summary(
    name: str, part: np.ndarray[tuple[int, int], np.dtype[np.float32]], start_left: float
) -> LayerDrift:
    gap, log_ratio, error_squared, dead = part
    finite = np.isfinite(part).all(axis=0)
    alive = finite & (dead == 0)
    worst = int(np.argmax(np.where(alive, gap, -1.0))) if alive.any() else -1

    def mean(values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
        return float(values.mean()) if len(values) else float("nan")

    return LayerDrift(
        name=name,
        channels=part.shape[1],
        mean_gap=mean(gap[alive]),
        mean_gap_max=float(gap[worst]) if worst >= 0 else float("nan"),
        worst_channel=worst,
        log_var_ratio=mean(log_ratio[alive]),
        output_error=float(np.sqrt(mean(error_squared[finite]))),
        start_left=start_left,
        dead=int((finite & (dead == 1)).sum()),
        non_finite=int((~finite).sum()),
    )
