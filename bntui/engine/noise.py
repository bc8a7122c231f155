"""The simple gradient noise scale tr(Σ)/|G|²: up to which batch size more images an update pay.

G is the gradient of the training loss over all images and Σ the covariance of one image's gradient,
so the gradient of b images is G plus noise of size tr(Σ)/b (McCandlish et al. 2018, arXiv
1812.06162). While b is far below the scale, noise rules, and twice the images allow nearly twice
the step; far above it they add next to nothing to an update. It is plain SGD's scale: neither
Adam's preconditioning nor the loss's curvature is in it.

BN couples the images of a batch. Here each half of a batch is normalised by its own statistics, as
a training batch of that size is.

Seen on full MNIST (torch 2.14, CPU, quarter width, batch 512, Adam at 1e-3, one seed, halves of
512), 8 measurements in 40 updates each: with BN 1,600 ± 600 at first and 4,500 to 15,000 from update
60 to 400, with errors of a half and at times lost in noise; without BN 150 ± 60 at first and then 280
to 1,300, about the 900 that is published for MNIST. It grows as the gradient shrinks.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bntui.border import Within
from bntui.engine.data import Split
from bntui.engine.snapshot import Noise
from bntui.engine.statistics import Buffers

HALF = 512
"""Images of each half at most; of a training set smaller than two halves, half of it."""
WINDOW = 4
"""Measurements that are averaged: the weights move on, so older ones are forgotten. More would
steady the number, but the first updates' gradients, ten times as long, would rule it for longer."""

LARGEST = 1e100
"""More than float32 gives the square of a gradient; the square of it is still a number."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Unbiased estimates at one moment of the weights."""

    gradient: Annotated[float, Within(-LARGEST, LARGEST, or_not_finite=True)]
    """|G|²; noise can make it negative."""
    spread: Annotated[float, Within(-LARGEST, LARGEST, or_not_finite=True)]
    """tr(Σ)."""


def separate(part: float, whole: float, part_images: int, whole_images: int) -> Measurement:
    """Tell gradient and noise apart by the squared norms of gradients of b and of B > b images.

    With E|G_b|² = |G|² + tr(Σ)/b: |G|² = (B|G_B|² − b|G_b|²)/(B − b) and
    tr(Σ) = (|G_b|² − |G_B|²)/(1/b − 1/B), appendix A.1 there. For two halves that is the halves'
    scalar product, and b/2 times the square of their distance.
    """
    b, total = part_images, whole_images
    return Measurement(
        gradient=(total * whole - b * part) / (total - b),
        spread=(part - whole) / (1.0 / b - 1.0 / total),
    )


def measure(
    model: nn.Module,
    buffers: Buffers,
    halves: Sequence[Split],
    breathe: Callable[[], None] = lambda: None,
) -> Measurement:
    """Measure on two halves of one batch of training images, b images each; changes nothing.

    The images must be drawn one independently of the other, as `draw` does. `breathe` is called
    before each half: it may wait or raise.
    """
    parameters = list(model.parameters())
    was_training = model.training
    model.train()
    gradients: list[tuple[Tensor, ...]] = []
    try:
        with buffers.holding(torch.zeros_like(buffers.row)):
            for half in halves:
                breathe()
                loss = cross_entropy(model(half.images), half.labels)
                gradients.append(torch.autograd.grad(loss, parameters))
    finally:
        model.train(was_training)
    first, second = gradients
    part = (_squared(first) + _squared(second)) / 2.0
    whole = _squared([(a + b) / 2.0 for a, b in zip(first, second, strict=True)])
    norms: list[float] = torch.stack([part, whole]).tolist()
    images = len(halves[0])
    return separate(norms[0], norms[1], images, 2 * images)


def _squared(gradient: Sequence[Tensor]) -> Tensor:
    return torch.stack([part.square().sum() for part in gradient]).sum()


def draw(split: Split, generator: torch.Generator) -> tuple[Split, Split]:
    """Return two halves of a batch, every image drawn from all of `split` by itself.

    With replacement, unlike an epoch's batches: only then are the formulas exact for a small set.
    """
    half = min(HALF, max(1, len(split) // 2))
    chosen = torch.randint(len(split), (2, half), generator=generator).to(split.images.device)
    first, second = (Split(split.images[places], split.labels[places]) for places in chosen)
    return first, second


def estimate(measured: Sequence[Measurement], update: int, training_images: int) -> Noise:
    """Return the noise scale at `update` and the batch size that it suggests."""
    scale, error = ratio(measured)
    batch = suggested_batch(scale, training_images)
    return Noise(update, scale, error, batch, len(measured))


def ratio(measured: Sequence[Measurement]) -> tuple[float, float]:
    """Return the noise scale and its standard error, from n measurements (sᵢ, gᵢ).

    The scale is R = s̄/ḡ: plain averages, each taken by itself and then divided, since a ratio of
    noisy numbers is biased. The error is √(Σ(sᵢ − R·gᵢ)²/(n(n−1)))/ḡ, that of a ratio of means.
    Both are NaN until there are two measurements and ḡ exceeds its own standard error: before that
    the gradient can't be told from its noise. They are NaN as well where a measurement is.
    """
    n = len(measured)
    if n < 2 or not all(math.isfinite(one.gradient + one.spread) for one in measured):
        return math.nan, math.nan
    gradients = [one.gradient for one in measured]
    gradient, spread = fmean(gradients), fmean(one.spread for one in measured)
    if not gradient > stdev(gradients) / math.sqrt(n):
        return math.nan, math.nan
    scale = spread / gradient
    squares = sum((one.spread - scale * one.gradient) ** 2 for one in measured)
    return scale, math.sqrt(squares / (n * (n - 1))) / gradient


def suggested_batch(scale: float, training_images: int) -> int | None:
    """Return the power of two nearest to the scale, from 1 to the training set; None for NaN."""
    if math.isnan(scale):
        return None
    power = round(math.log2(max(1.0, scale)))
    return min(1 << power, training_images)
