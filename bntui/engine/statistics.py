"""Batch normalization's statistics: collect, estimate, pool, compare.

Running statistics never feed back into training, so one run can carry any number of estimators of
them; batch renorm alone reads the run's own. The BN layers' buffers are scratch space: with torch's
momentum at 1 they hold the last batch's statistics after a training-mode pass, and an estimator's
while evaluating under it.

All statistics of a network are one *row*: a float32 tensor (2, C) with the means and the biased
variances of all C channels, layer after layer. Works on any `nn.Module` with BN layers.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bntui.engine.config import MOMENTA
from bntui.engine.norms import CLOSED, BatchRenorm, GhostBatchNorm
from bntui.engine.snapshot import Channels, LayerDrift

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
    _biased: dict[int, Tensor] = field(default_factory=dict)

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of each layer; they sum to C."""
        return tuple(layer.num_features for layer in self.layers)

    def per_channel(self, values: Iterable[float]) -> Tensor:
        """Repeat one value a layer over its channels: (C,)."""
        repeated = np.repeat(np.fromiter(values, np.float32), self.channels)
        return torch.from_numpy(repeated).to(self.row.device)

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
        for layer, part in zip(self.layers, row.split(self.channels, dim=1), strict=True):
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

    channels = [layer.num_features for layer in layers]
    row = torch.zeros(2, sum(channels), device=example.device)
    for layer, part in zip(layers, row.split(channels, dim=1), strict=True):
        layer.momentum = 1.0
        layer.num_batches_tracked = None  # of no use at momentum 1, and one more thing to restore
        layer.running_mean, layer.running_var = part
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

    The user's own row follows one of these, too: plain momentum unless `update` is told another.
    """

    def __init__(self, buffers: Buffers) -> None:
        self.rows = initial(buffers).expand(len(ESTIMATORS), -1, -1).clone()
        """(estimators, 2, C), in the order of `ESTIMATORS`."""
        self.start_left = 1.0
        """The share of the start value in the user's own row: 0 once it was recalibrated."""
        self._own = "momentum"
        self._momenta_product = 1.0
        self._updates = 0

    def __getitem__(self, name: str) -> Tensor:
        """Return the row (2, C) of one estimator."""
        return self.rows[ESTIMATORS.index(name)]

    def update(self, batch: Tensor, momentum: float, own: str = "momentum") -> None:
        """Move every row towards the statistics (2, C) of one batch.

        `own` tells how the user's own row is estimated: one of `config.OWN_ESTIMATORS`. Turned to
        an estimator without start value, it goes on from what that one has made of the run so far.
        """
        if own != self._own and own in ESTIMATORS and self._updates:
            self[OWN].copy_(self[own])
            self.start_left = 0.0
        self._own = own
        self._updates += 1
        self._momenta_product *= momentum
        mean_kept = 1.0 - 1.0 / self._updates
        kept = {
            CORRECTED: 1.0 - (1.0 - momentum) / (1.0 - self._momenta_product),
            CUMULATIVE: mean_kept,
            WARM_UP: min(momentum, mean_kept),
        }
        own_kept = kept.get(own, momentum)
        self.start_left *= own_kept
        weights = [1.0 - share for share in (own_kept, *MOMENTA, *kept.values())]
        weight = torch.tensor(weights, dtype=batch.dtype).to(batch.device, non_blocking=True)
        self.rows.lerp_(batch, weight[:, None, None])

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs to go on from here."""
        return {
            "rows": self.rows,
            "start_left": self.start_left,
            "own": self._own,
            "momenta_product": self._momenta_product,
            "updates": self._updates,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state. In place: layers may look at the rows."""
        self.rows.copy_(state["rows"])
        self.start_left = state["start_left"]
        self._own = state["own"]
        self._momenta_product = state["momenta_product"]
        self._updates = state["updates"]

    @property
    def unstarted(self) -> Tensor:
        """The user's own row without its start value: (2, C)."""
        return self[CORRECTED] if self.start_left else self[OWN]

    def recalibrate(self, row: Tensor) -> None:
        """Replace the user's own row; the others stay what they would have been."""
        self[OWN].copy_(row)
        self.start_left = 0.0


def collect(model: nn.Module, buffers: Buffers, images: Tensor) -> Tensor:
    """Return the biased statistics (2, C) of one training-mode pass; changes nothing.

    `images` is one batch (N, …): every layer sees the output of layers that normalise with this
    batch's own statistics, as in training. Those of a ghost net are the mean of its sub-batches'. A
    renorm net's layers are plain BN here: only then does each layer get the input in eval mode,
    under the statistics returned, that it had when they were taken.
    """
    was_training = model.training
    model.train()
    try:
        with (
            torch.no_grad(),
            buffers.uncorrected(),
            buffers.holding(torch.zeros_like(buffers.row)),
        ):
            model(images)
            return buffers.batch_row(len(images))
    finally:
        model.train(was_training)


def pool(rows: Iterable[tuple[Tensor, int]]) -> Tensor:
    """Combine statistics (2, C) of batches of n images each into those of all images together.

    μ = Σ nᵢμᵢ / Σ nᵢ and σ² = Σ nᵢ(vᵢ + μᵢ²) / Σ nᵢ − μ², in float64: exact where the batches pass
    through the same function, as at fixed weights the first BN layer's do.
    """
    total, mean, square = 0, None, None
    row = torch.empty(0)
    for row, images in rows:
        wide = row.to("cpu", torch.float64) if row.device.type == "mps" else row.double()
        here, here_square = images * wide[0], images * (wide[1] + wide[0] ** 2)
        mean = here if mean is None else mean + here
        square = here_square if square is None else square + here_square
        total += images
    if mean is None or square is None or not total:
        raise ValueError("pool needs the statistics of at least one image")
    mean, square = mean / total, square / total
    return torch.stack([mean, (square - mean**2).clamp_min(0.0)]).to(row)


def drift(
    buffers: Buffers,
    running: Tensor,
    fresh: Tensor,
    unstarted: Tensor,
    start_left: float,
    network_errors: Sequence[float],
) -> tuple[LayerDrift, ...]:
    """Compare running with fresh statistics, both (2, C), layer by layer.

    Per channel, with running (r, v), fresh (μ, σ²), scale γ and epsilon e:
    - mean gap (r−μ)/√(σ²+e), in standard deviations;
    - log-variance ratio ln[(v+e)/(σ²+e)];
    - output error √(γ²[(r−μ)²/(v+e) + (σ/√(v+e) − σ/√(σ²+e))²]): the RMS difference between what
      the layer puts out in eval and in training mode;
    - the split of the error into what the start value makes and the rest, lag and noise, which is
      exact: r − μ = P(r₀ − μ) + (1 − P)(r̂ − μ), with P = `start_left` and r̂ = `unstarted`, the
      statistics without their start value.
    Dead channels (σ² < 10e) are left out of all but the output error, and counted; so are
    non-finite ones.
    """
    e = buffers.epsilon()
    (r, v), (mu, variance) = running, fresh
    deviation = (variance + e).sqrt()
    sigma, running_deviation = variance.sqrt(), (v + e).sqrt()
    rest_mean, rest_variance = (1.0 - start_left) * (unstarted - fresh)
    table = torch.stack(
        [
            (r - mu) / deviation,
            ((v + e) / (variance + e)).log(),
            start_left * (0.0 - mu) / deviation,
            start_left * (1.0 - variance) / (variance + e),
            rest_variance / (variance + e),
            (variance < DEAD * e).to(mu.dtype),
            buffers.scale() ** 2
            * (
                ((r - mu) / running_deviation) ** 2
                + (sigma / running_deviation - sigma / deviation) ** 2
            ),
            rest_mean / deviation,
            ((r == 0.0) & (v == 1.0)).to(mu.dtype),
        ]
    )
    by_layer = np.split(table.cpu().numpy(), np.cumsum(buffers.channels)[:-1], axis=1)
    return tuple(
        _summary(*of_layer, start_left)
        for of_layer in zip(buffers.names, buffers.positions, by_layer, network_errors, strict=True)
    )


def _summary(
    name: str,
    positions: int,
    part: npt.NDArray[np.float32],
    network_error: float,
    start_left: float,
) -> LayerDrift:
    part.flags.writeable = False
    detail = Channels(*part[:6])
    error_squared, mean_rest, untouched = part[6:]
    finite = np.isfinite(part).all(axis=0)
    alive = finite & (detail.dead == 0)
    gap = np.abs(detail.mean_gap)
    start = np.abs(detail.mean_start[alive]).sum() + np.abs(detail.variance_start[alive]).sum()
    rest = np.abs(mean_rest[alive]).sum() + np.abs(detail.variance_rest[alive]).sum()
    return LayerDrift(
        name=name,
        channels=part.shape[1],
        positions=positions,
        mean_gap=_mean(gap[alive]),
        mean_gap_max=float(gap[alive].max()) if alive.any() else math.nan,
        log_var_ratio=_mean(detail.log_var_ratio[alive]),
        output_error=math.sqrt(_mean(error_squared[finite])),
        network_error=network_error,
        start_left=start_left,
        start_share=float(start / (start + rest)) if start + rest > 0 else math.nan,
        dead=int((finite & (detail.dead == 1)).sum()),
        non_finite=int((~finite).sum()),
        untouched=bool((untouched == 1).all()),
        detail=detail,
    )


def _mean(values: npt.NDArray[np.float32]) -> float:
    return float(values.mean()) if len(values) else math.nan


def shift(buffers: Buffers, fresh: Tensor, other: Tensor) -> float:
    """Return how far other images' statistics are from fresh ones, both (2, C), in the first layer.

    The mean over live channels of |μ' − μ| / √(σ² + e): later layers normalise a shift away.
    """
    first = slice(buffers.channels[0])
    (mu, variance), e = fresh[:, first], buffers.layers[0].eps
    gap = (other[0, first] - mu).abs() / (variance + e).sqrt()
    return float(gap[variance >= DEAD * e].mean())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Eval mode against training mode on the same images, through the whole network."""

    errors: tuple[float, ...]
    """Of each BN layer's output: RMS difference relative to the RMS in training mode."""
    flipped: float
    """Share of images whose predicted class differs."""
    statistics: Tensor
    """The images' own statistics: (2, C)."""


def compare_modes(
    model: nn.Module, buffers: Buffers, running: Tensor, images: Tensor
) -> Comparison:
    """Compare eval mode under `running` with training mode on `images` (N, …).

    Local drift can fall while the errors grow: they compound through successive layers. Changes
    nothing.
    """
    in_eval: dict[nn.Module, Tensor] = {}
    errors: list[Tensor] = []

    def keep(layer: nn.Module, _: object, output: Tensor) -> None:
        in_eval[layer] = output

    def compare(layer: nn.Module, _: object, output: Tensor) -> None:
        errors.append((in_eval.pop(layer) - output).norm() / output.norm())

    @contextmanager
    def hooked(hook: Callable[[nn.Module, object, Tensor], None]) -> Iterator[None]:
        handles = [layer.register_forward_hook(hook) for layer in buffers.layers]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    was_training = model.training
    try:
        with torch.no_grad(), buffers.holding(running):
            model.eval()
            with hooked(keep):
                guesses = model(images).argmax(1)
            model.train()
            buffers.row.zero_()  # else 0·NaN could outlive the row that is compared
            with hooked(compare):
                flipped = (model(images).argmax(1) != guesses).float().mean()
            statistics = buffers.row * buffers.biased(len(images))
    finally:
        model.train(was_training)
    *values, share = torch.stack([*errors, flipped]).tolist()
    return Comparison(tuple(values), share, statistics)
