"""Normalisation as the papers' formulas have it, in plain tensors, and how a layer is compared with it."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from bntui.measure.norms import EPSILON

NORMS = ("batch", "ghost", "renorm", "group", "layer", "none")
Forward = Callable[[Tensor, Tensor, Tensor], Tensor]


def a_batch(shape: tuple[int, ...]) -> Tensor:
    """Return a batch whose channels have means and deviations of their own."""
    generator = torch.Generator().manual_seed(len(shape))
    deviations = torch.logspace(-1.5, 1, shape[1]).view(1, -1, *(1 for _ in shape[2:]))
    noise = torch.randn(shape, generator=generator)
    batch = deviations * (noise + torch.rand(deviations.shape, generator=generator))
    return batch.to(memory_format=torch.channels_last) if len(shape) == 4 else batch


def learned(layer: nn.Module) -> nn.Module:
    """Return the layer with a scale and a shift as after some training."""
    generator = torch.Generator().manual_seed(5)
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -2.0, 2.0, generator=generator)
    return layer


def per_channel(values: Tensor, like: Tensor) -> Tensor:
    return values.view(1, -1, *(1 for _ in like.shape[2:]))


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the means and biased variances of the channels of x."""
    flat = x.transpose(0, 1).flatten(1)
    return flat.mean(1), flat.var(1, correction=0)


def plain(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return batch norm's output: γ(x − μ)/√(σ² + ε) + β."""
    mean, variance = moments(x)
    scaled = (x - per_channel(mean, x)) / per_channel((variance + EPSILON).sqrt(), x)
    return scaled * per_channel(weight, x) + per_channel(bias, x)


def rows_of(x: Tensor) -> Tensor:
    return torch.stack(moments(x.double()))


def mean_of(rows: Sequence[Tensor], images: Sequence[int]) -> Tensor:
    """Return the mean of statistics (2, C), each weighted by its images."""
    shares = torch.tensor(images, dtype=torch.float64) / sum(images)
    return torch.einsum("k,kij->ij", shares, torch.stack(list(rows)))


def close(mine: Tensor | None, theirs: Tensor | None) -> None:
    """Compare within 1e-5 of the RMS of what is expected."""
    assert mine is not None
    assert theirs is not None
    rms = theirs.double().square().mean().sqrt().item()
    torch.testing.assert_close(mine.double(), theirs.double(), rtol=1e-5, atol=1e-5 * rms)


def renormed(running: Tensor, limits: tuple[float, float], seen: list[Tensor]) -> Forward:
    """Return Ioffe's formula; r and d, as they are before they are clipped, go to `seen`."""
    r_max, d_max = limits

    def ioffe(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        mean, variance = moments(x)
        deviation = (variance + EPSILON).sqrt()
        r = (deviation / (running[1] + EPSILON).sqrt()).detach()
        d = ((mean - running[0]) / (running[1] + EPSILON).sqrt()).detach()
        seen.extend([r, d])
        r, d = r.clip(1 / r_max, r_max), d.clip(-d_max, d_max)
        scaled = (x - per_channel(mean, x)) / per_channel(deviation, x)
        corrected = scaled * per_channel(r, x) + per_channel(d, x)
        return corrected * per_channel(weight, x) + per_channel(bias, x)

    return ioffe
