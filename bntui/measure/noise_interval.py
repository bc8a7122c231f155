"""Between which ends the gradient noise scale R = tr(Σ)/|G|² lies, from few noisy measurements.

Each measurement has the scalar products of the gradients Gᵢ = G + eᵢ of k parts of a batch, m images
each. Those of two parts, and of one part with itself, are (Hoeffding 1948, of U-statistics)

    Gᵢ·Gⱼ = |G|² + aᵢ + aⱼ + bᵢⱼ          aᵢ = G·eᵢ,  bᵢⱼ = eᵢ·eⱼ
    Gᵢ·Gᵢ = |G|² + 2aᵢ + tr(Σ)/m + qᵢ     qᵢ = |eᵢ|² − tr(Σ)/m

and all terms are uncorrelated but aᵢ and qᵢ of one part. Averages give ĝ for |G|², ŝ for tr(Σ), and the
variances and covariance of a, q and b without bias, whatever the spectrum of Σ: that is what k parts
tell and two halves don't, and why four measurements are enough.

R is judged by φ = 1/R, since |G|² may be near 0: then R has no upper end (Fieller 1954). If φ is the
truth then D = ĝ − φŝ has the mean 0 and, over W measurements, n = W·k parts, the variance

    Var(2a − φm·q)/n + (1 + φm)²·2·Var(b)/(n(k − 1)).

a grows with |G|, so its part is scaled to |G|² = φŝ; where a is not told from noise it is left out.
D's skewness, since b is a sum of few products where Σ has few large eigenvalues, is taken out by Wilson
and Hilferty's cube root (1931), from tr(Σ³) by the products bᵢⱼ·bⱼₖ·bₖᵢ. What remains is compared to
Student's t, and φ ≥ 0 is heeded by the ordering of Feldman and Cousins (1998, physics/9711021): one
rule gives two ends or one, is never empty, and covers as often as it says. To choose between kinds of
interval by what came out would not.

Simulated, W = 4, k = 8, m = 128, R from 50 to 50,000, spectra flat to 1/i^1.5 and of real networks, G at
random, along noise or across it: 68 % intervals covered 62 to 76 %, 95 % ones 90 to 98 %, on average
69 % and 95 %. The least are where G lies along Σ's one large direction (`tests/measure/test_noise_coverage.py`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Annotated

import numpy as np

from bntui.core.border import Length, Positive, Within

NORMAL = NormalDist()
ONE_SIGMA = 0.6827
"""The level of one standard deviation to either side."""
ROUNDING = 1e-6
"""Noise below this share of the gradient is float32's own."""
PARTS = 8
"""Parts of a batch, each with its gradient: two give the scale, more give its error as well."""
LARGEST_PRODUCT = 1e40
"""More than float32 gives the square of a gradient."""
BISECTIONS = 50
"""Bisections of each end: exact to far more than the two digits that are shown."""


Product = Annotated[float, Within(-LARGEST_PRODUCT, LARGEST_PRODUCT, or_not_finite=True)]


@dataclass(frozen=True, slots=True)
class Measurement:
    """The gradients of k parts of a batch, at one moment of the weights."""

    products: Annotated[
        tuple[Annotated[tuple[Product, ...], Length(PARTS, PARTS)], ...], Length(PARTS, PARTS)
    ]
    """The scalar product of each part's gradient with each other's and its own, row by row: k by k."""
    images: Positive
    """Of each part: m."""


@dataclass(frozen=True, slots=True)
class SampleMoments:
    """Averages over W measurements: the symbols are the module's."""

    gradient: float
    """|G|²."""
    spread: float
    """tr(Σ)."""
    images: int
    """Of each part: m."""
    parts: int
    """In each measurement: k."""
    measurements: int
    """W."""
    along: float
    """Of aᵢ as found, which is aᵢ and the mean of the bᵢⱼ: the variance of both."""
    both: float
    """The covariance of those and of qᵢ as found, which is qᵢ less twice that mean."""
    size: float
    """The variance of the latter."""
    pairs: float
    """Var(b) = tr(Σ²)/m²."""
    triples: float
    """The mean of bᵢⱼ·bⱼₖ·bₖᵢ as found: about half of tr(Σ³)/m³ at k = 8, as b is what a leaves over. Kept
    so: all of it, which a few outliers can make, was simulated to cover less."""


def moments(measured: Sequence[Measurement]) -> SampleMoments:
    """Take the averages of measurements that are alike in their parts."""
    images = measured[0].images
    products = np.array([one.products for one in measured])
    count, k, _ = products.shape
    own = np.diagonal(products, axis1=1, axis2=2)
    gradient = (products.sum((1, 2)) - own.sum(1)) / (k * (k - 1))
    along = ((products.sum(2) - own) / (k - 1) - gradient[:, None]) * (k - 1) / (k - 2)
    size = own - own.mean(1)[:, None] - 2.0 * along
    pairs = products - gradient[:, None, None] - along[:, :, None] - along[:, None, :]
    pairs[:, range(k), range(k)] = 0.0
    degrees = count * (k - 1)
    return SampleMoments(
        gradient=float(gradient.mean()),
        spread=float(images * (own.mean(1) - gradient).mean()),
        images=images,
        parts=k,
        measurements=count,
        along=float((along * along).sum() / degrees),
        both=float((along * size).sum() / degrees),
        size=float((size * size).sum() / degrees),
        pairs=float((pairs * pairs).sum() / (count * k * (k - 3))),
        triples=float(np.trace(pairs @ pairs @ pairs, axis1=1, axis2=2).mean())
        / (k * (k - 1) * (k - 2)),
    )


def interval(found: SampleMoments, level: float) -> tuple[float, float]:
    """Return the ends of the interval that covers R with the probability `level`.

    The upper end is infinite, and the lower 0, where no more can be told. Both are 0 without noise.
    """
    if found.gradient > 0.0 and found.spread <= ROUNDING * found.images * found.gradient:
        return 0.0, 0.0
    if found.pairs <= 0.0 or found.spread <= 0.0:
        return 0.0, math.inf
    best = max(0.0, found.gradient / found.spread)
    nearest = _edge(found, level, best, 0.0) if surprise(found, 0.0) > level else 0.0
    high = 1.0 / nearest if nearest else math.inf
    images = found.images * found.parts * found.measurements
    step = max(best, 1.0 / images)
    for doubled in range(BISECTIONS):
        outside = best + step * 2.0**doubled
        if surprise(found, outside) > level:
            return 1.0 / _edge(found, level, best, outside), high
    return 0.0, high


def _edge(found: SampleMoments, level: float, inside: float, outside: float) -> float:
    """Return the φ between two where the interval ends."""
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2.0
        if surprise(found, middle) > level:
            outside = middle
        else:
            inside = middle
    return inside


def surprise(found: SampleMoments, phi: float) -> float:
    """Return the level of the interval that has φ = 1/R at its end: small where φ fits what was found.

    R² = z² − z₀², with z₀ for the φ ≥ 0 that fits best, is the likelihood's ratio. If φ is the truth
    and 0 is `reach` standard deviations below it, R ≤ r has the probability that is returned.
    """
    z, reach = _deviation(found, phi)
    nearest = min(0.0, _deviation(found, 0.0)[0])
    ratio = math.sqrt(max(0.0, z * z - nearest * nearest))
    # Student's t as a normal deviate (Wallace 1959). A third of the parts' degrees of freedom was found
    # by simulation: variance and skewness are estimated, of noise that isn't normal.
    freedom = found.measurements * (found.parts - 1) / 3.0
    ratio = math.sqrt(freedom * math.log1p(ratio * ratio / freedom))
    ratio *= (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
    if reach == 0.0:
        return NORMAL.cdf(ratio)
    beyond = (reach * reach + ratio * ratio) / (2.0 * reach) if reach < ratio else ratio
    return NORMAL.cdf(ratio) - NORMAL.cdf(-beyond)


def _deviation(found: SampleMoments, phi: float) -> tuple[float, float]:
    """Return D in standard deviations, its skewness taken out, and by how many of them φ is above 0."""
    k, n = found.parts, found.parts * found.measurements
    pull = phi * found.images
    expected = phi * found.spread
    least = math.sqrt(2.0 * found.pairs / (n * (k - 1)))
    scale = math.sqrt(expected / max(found.gradient, least))
    noise = found.pairs / (k - 2)  # in the aᵢ as found
    single = 4.0 * scale * (scale * found.along - pull * found.both) + pull * pull * found.size
    single = max(0.0, single - 4.0 * (scale + pull) ** 2 * noise)
    variance = single / n + (1.0 + pull) ** 2 * least * least
    deviation = math.sqrt(variance)
    z, reach = (found.gradient - expected) / deviation, expected / deviation

    third = 8.0 * (1.0 + pull) ** 3 * max(0.0, found.triples) * (k - 2) / (k - 1) ** 2
    if expected:
        # 24·G'Σ²G/m², at the least that it can be for this Var(a) = G'ΣG/m.
        third += 24.0 * max(0.0, scale * scale * (found.along - noise)) ** 2 / expected
    skewness = min(2.0, third / (n * n * variance * deviation))
    if skewness < 1e-6:
        return z, reach
    root = max(0.0, 1.0 + skewness * z / 2.0) ** (1.0 / 3.0)
    return 6.0 / skewness * (root - 1.0) + skewness / 6.0, reach
