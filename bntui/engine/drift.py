"""How far statistics are apart, and what that does to what the network puts out.

Running against fresh ones layer by layer, eval against training mode through the whole network, and
other images' against these. All are rows (2, C), as `statistics.py` has them.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bntui.engine.snapshot import Channels, LayerDrift
from bntui.engine.statistics import Buffers

DEAD = 10.0
"""A channel whose fresh variance is below this many epsilons is dead: it carries no signal."""


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
    logits_error: float
    """Of the logits, after the best rescaling: see `rescaled_error`."""


def compare_modes(
    model: nn.Module, buffers: Buffers, running: Tensor, images: Tensor
) -> Comparison:
    """Compare eval mode under `running` with training mode on `images` (N, …).

    Local drift can fall while the errors grow, since a layer gets what those before it put out. The
    layers' errors are near 1 as soon as the output is small or has nothing in common with that of
    training mode; the logits' error tells these apart. Changes nothing.
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
                seen = model(images)
            model.train()
            buffers.row.zero_()  # else 0·NaN could outlive the row that is compared
            with hooked(compare):
                logits = model(images)
            flipped = (seen.argmax(1) != logits.argmax(1)).float().mean()
            statistics = buffers.row * buffers.biased(len(images))
    finally:
        model.train(was_training)
    *values, share, error = torch.stack([*errors, flipped, rescaled_error(seen, logits)]).tolist()
    return Comparison(tuple(values), share, statistics, error)


def rescaled_error(seen: Tensor, logits: Tensor) -> Tensor:
    """Return ‖seen − a·logits‖ / ‖a·logits‖ at the a that makes ‖seen − a·logits‖ least.

    Both are (N, classes). So it is what of `seen` is no multiple of `logits`, relative to what is: the
    tangent of the angle between them, infinite where a ≤ 0. Logits that are only smaller predict the
    same classes, and have no error.
    """
    seen, logits = seen.float().flatten(), logits.float().flatten()
    alike = seen @ logits / logits.norm()
    apart = (seen - alike * logits / logits.norm()).norm()
    return torch.where(alike <= 0.0, math.inf, apart / alike)
