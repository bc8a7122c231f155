"""How far statistics are apart, and what that does to what the network puts out.

Running against fresh ones layer by layer, eval against training mode through the whole network, and
other images' against these. All are rows (2, C), as `layers.py` has them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bntui.core.measured import Channels, ChannelValues, LayerDrift, LayerShift
from bntui.measure.estimators import LastMove
from bntui.measure.hooked import called_after
from bntui.measure.layers import Layers
from bntui.measure.subject import Subject
from bntui.measure.unchanged import unchanged

QUIET = 0.1
"""A channel whose fresh variance is below this share of epsilon puts out little.

Found by exchanging statistics: channels at ten epsilons still put out .9 of a unit deviation."""

ROWS_A_CHANNEL = 18
"""Numbers that a validation has of every channel: see `Channels` and `ChannelValues`."""


def drift(
    layers: Layers,
    running: Tensor,
    fresh: Tensor,
    unstarted: Tensor,
    start_left: float,
    network_errors: Sequence[float],
    last: LastMove | None = None,
) -> tuple[LayerDrift, ...]:
    """Compare running with fresh statistics, both (2, C), layer by layer.

    Per channel, with running (r, v), fresh (μ, σ²), scale γ and epsilon e:
    - mean gap (r−μ)/√(σ²+e), in standard deviations;
    - log-variance ratio ln[(v+e)/(σ²+e)];
    - output error √(γ²[(r−μ)²/(v+e) + (σ/√(v+e) − σ/√(σ²+e))²]): the RMS difference between what
      the layer puts out in eval and in training mode;
    - the split of each channel's error into what the start value makes and the rest, lag and noise,
      which is exact: r − μ = P(r₀ − μ) + (1 − P)(r̂ − μ), with P = `start_left` and r̂ = `unstarted`,
      the statistics without their start value.
    No finite channel is left out of any mean; quiet and non-finite ones are counted. `last` is what
    the last update did to the running statistics, if it is to be told.
    """
    e = layers.epsilon()
    (r, v), (mu, variance) = running, fresh
    deviation = (variance + e).sqrt()
    sigma, running_deviation = variance.sqrt(), (v + e).sqrt()
    rest_variance = (1.0 - start_left) * (unstarted - fresh)[1]
    table = torch.stack(
        [
            (r - mu) / deviation,
            ((v + e) / (variance + e)).log(),
            start_left * (0.0 - mu) / deviation,
            start_left * (1.0 - variance) / (variance + e),
            rest_variance / (variance + e),
            (variance < QUIET * e).to(mu.dtype),
            layers.scale() ** 2
            * (
                ((r - mu) / running_deviation) ** 2
                + (sigma / running_deviation - sigma / deviation) ** 2
            ),
            ((r == 0.0) & (v == 1.0)).to(mu.dtype),
            *(r, v, mu, variance),
            *(torch.cat([last.before, last.batch]) if last else r.new_full((4, len(r)), math.nan)),
            *(layers.scale(), layers.shift()),
        ]
    )
    by_layer = np.split(table.cpu().numpy(), np.cumsum(layers.channels)[:-1], axis=1)
    kept = last.kept if last else math.nan
    epsilons = [float(layer.eps) for layer in layers.layers]  # type: ignore[arg-type]
    rows = zip(layers.names, layers.positions, by_layer, network_errors, epsilons, strict=True)
    return tuple(_summary(*of_layer, kept, start_left) for of_layer in rows)


def _summary(
    name: str,
    positions: int,
    part: npt.NDArray[np.float32],
    network_error: float,
    epsilon: float,
    kept: float,
    start_left: float,
) -> LayerDrift:
    part.flags.writeable = False
    running, fresh, before, batch, (scale, shift) = (
        part[at : at + 2] for at in range(8, ROWS_A_CHANNEL, 2)
    )
    values = ChannelValues(running, fresh, before, batch, kept, scale, shift, epsilon)
    detail = replace(Channels(*part[:6]), values=values)
    error_squared, untouched = part[6:8]
    finite = np.isfinite(part[:8]).all(axis=0)
    gap, ratio = np.abs(detail.mean_gap[finite]), detail.log_var_ratio[finite]
    return LayerDrift(
        name=name,
        channels=part.shape[1],
        positions=positions,
        mean_gap=_mean(gap),
        mean_gap_max=float(gap.max()) if finite.any() else math.nan,
        log_var_ratio=_mean(ratio),
        output_error=math.sqrt(_mean(error_squared[finite])),
        network_error=network_error,
        start_left=start_left,
        non_finite=int((~finite).sum()),
        untouched=bool((untouched == 1).all()),
        detail=detail,
        log_var_off=_mean(np.abs(ratio)),
        quiet=int((finite & (detail.quiet == 1)).sum()),
    )


def _mean(values: npt.NDArray[np.float32]) -> float:
    return float(values.mean()) if len(values) else math.nan


def shifts(layers: Layers, training: Tensor, other: Tensor) -> tuple[LayerShift, ...]:
    """Return how far other images' statistics are from training images', both (2, C), layer by layer.

    A later layer sees what an earlier one's means and variances hide: images that are moved change
    nothing before `Flatten`.
    """
    epsilon = layers.epsilon()
    parts = (layers.parts(row) for row in (training, other, epsilon))
    return tuple(
        shift(name, *of_layer) for name, *of_layer in zip(layers.names, *parts, strict=True)
    )


def shift(name: str, training: Tensor, other: Tensor, epsilon: Tensor) -> LayerShift:
    """Return the mean over channels of |μ' − μ|/√(σ² + e) and of |ln[(σ'² + e)/(σ² + e)]|."""
    (mu, variance), (other_mu, other_variance) = training, other
    gap = (other_mu - mu).abs() / (variance + epsilon).sqrt()
    ratio = ((other_variance + epsilon) / (variance + epsilon)).log().abs()
    return LayerShift(name, float(gap.mean()), float(ratio.mean()))


@dataclass(frozen=True, slots=True)
class ModeComparison:
    """Eval mode against training mode on the same images, through the whole network."""

    errors: tuple[float, ...]
    """Of each BN layer's output: RMS difference relative to the RMS in training mode. Of a layer that is
    called several times the mean over its calls, NaN of one that is not called."""
    flipped: float
    """Share of images whose predicted class differs."""
    logits_error: float
    """Of the logits, after the best rescaling: see `rescaled_error`."""


def compare_modes(subject: Subject, running: Tensor, inputs: Tensor) -> ModeComparison:
    """Compare eval mode under `running` with the batch's own statistics on `inputs` (N, …).

    Only the layers with statistics change their mode: dropout, say, makes no difference here. Local
    drift can fall while the errors grow, since a layer gets what those before it put out. The layers'
    errors are near 1 as soon as the output is small or has nothing in common with that of training
    mode; the logits' error tells these apart. Changes nothing.
    """
    layers = subject.layers
    in_eval: dict[nn.Module, list[Tensor]] = {layer: [] for layer in layers.layers}
    errors: dict[nn.Module, list[Tensor]] = {layer: [] for layer in layers.layers}

    def keep(layer: nn.Module, _: object, output: Tensor) -> None:
        in_eval[layer].append(output.clone())  # what comes after it may work in place

    def compare(layer: nn.Module, _: object, output: Tensor) -> None:
        errors[layer].append((in_eval[layer].pop(0) - output).norm() / output.norm())

    with torch.no_grad(), unchanged(subject.network):
        subject.network.eval()
        layers.put(range(len(layers)), layers.parts(running))
        with called_after(layers.layers, keep):
            seen = subject.forward(inputs)
        for layer in layers.layers:
            layer.training = subject.trains(layer)
        with called_after(layers.layers, compare):
            outputs = subject.forward(inputs)
        guesses = [subject.scoring.guesses(each) for each in (seen, outputs)]
        flipped = (guesses[0] != guesses[1]).float().mean()
    nothing = flipped.new_tensor(math.nan)
    each = [torch.stack(calls).mean() if calls else nothing for calls in errors.values()]
    *values, share, error = torch.stack([*each, flipped, rescaled_error(seen, outputs)]).tolist()
    return ModeComparison(tuple(values), share, error)


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
