"""The simple gradient noise scale tr(Σ)/|G|²: up to which batch size more images an update pay.

G is the gradient of the training loss over all images and Σ the covariance of one image's gradient,
so the gradient of b images is G plus noise of size tr(Σ)/b (McCandlish et al. 2018, arXiv
1812.06162). While b is far below the scale, noise rules, and twice the images allow nearly twice
the step; far above it they add next to nothing to an update. It is plain SGD's scale: neither
Adam's preconditioning nor the loss's curvature is in it.

BN couples the images of a batch. Here each of the parts of a batch is normalised by its own statistics,
as a training batch of that size is: with BN it is the noise scale of such batches.

How far the few measurements tell it, with how many images, is `noise_interval.py`'s part.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from bntui.core.measured import Noise
from bntui.measure.noise_interval import ONE_SIGMA, PARTS, Measurement, interval, moments
from bntui.measure.subject import Samples, Subject, set_training
from bntui.measure.unchanged import unchanged

PART = 128
"""Images of each part at most; of a training set smaller than all parts, its eighth, but two."""
WINDOW = 4
"""Measurements that are averaged: the weights move on, so older ones are forgotten. More would
narrow the interval by the square root, but the first updates' gradients, ten times as long, would
rule it for longer."""


def measure(
    subject: Subject,
    parts: Sequence[Samples],
    check_stop: Callable[[], None] = lambda: None,
) -> Measurement:
    """Measure on the parts of one batch of training samples, all of one size; changes nothing.

    The samples must be drawn one independently of the other, as `draw` does. `check_stop` is called
    before each part: it may wait or raise.
    """
    parameters = [one for one in subject.network.parameters() if one.requires_grad]
    gradients: list[tuple[Tensor, ...]] = []
    with unchanged(subject.network), torch.enable_grad():
        set_training(subject)
        for part in parts:
            check_stop()
            loss = subject.scoring.loss(subject.forward(part.inputs), part.targets)
            gradients.append(torch.autograd.grad(loss, parameters, materialize_grads=True))
    rows = (torch.stack([one.flatten() for one in same]) for same in zip(*gradients, strict=True))
    products = torch.stack([row @ row.T for row in rows]).sum(0)
    return Measurement(tuple(map(tuple, products.tolist())), len(parts[0]))


def draw(samples: Samples, generator: torch.Generator) -> tuple[Samples, ...]:
    """Return the parts of a batch, every sample drawn from all of `samples` by itself.

    With replacement, unlike an epoch's batches: only then are the formulas exact for a small set.
    """
    size = min(PART, max(2, len(samples) // PARTS))
    chosen = torch.randint(len(samples), (PARTS, size), generator=generator)
    return tuple(samples[places] for places in chosen.to(samples.inputs.device))


def estimate(measured: Sequence[Measurement], update: int, training_images: int) -> Noise:
    """Return the noise scale at `update`, between which ends it lies, and the batch it suggests."""
    if not np.isfinite([one.products for one in measured]).all():
        return Noise(update, math.nan, None, len(measured))
    found = moments(measured)
    low, high = interval(found, 0.95)
    low_68, high_68 = interval(found, ONE_SIGMA)
    batch = suggested_batch(low_68, high_68, training_images) if high < math.inf else None
    # Averages, each taken by itself and then divided: the mean of noisy ratios is far from theirs.
    scale = max(0.0, found.spread) / found.gradient if found.gradient > 0.0 else math.inf
    return Noise(update, scale, batch, len(measured), low, high, low_68, high_68)


def suggested_batch(low: float, high: float, training_images: int) -> int | None:
    """Return the power of two nearest to the middle of an interval, both as logarithms.

    None where that is more than the training set: it was not measured that all of it is needed.
    """
    middle = (math.log2(max(1.0, low)) + math.log2(max(1.0, high))) / 2.0
    power = 1 << round(middle)
    return power if power <= training_images else None
