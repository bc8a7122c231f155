"""What is measured of a network with BN layers: frozen, plain numbers. Imports no torch."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from bntui.core.border import Read


def _array_of(kind: type[np.generic]) -> Read:
    def read(value: object) -> npt.NDArray[np.generic]:
        if not isinstance(value, np.ndarray) or value.dtype != kind:
            raise ValueError(f"an array of {np.dtype(kind).name}")
        return value

    return Read(read)


Floats = Annotated[npt.NDArray[np.float32], _array_of(np.float32)]
Doubles = Annotated[npt.NDArray[np.float64], _array_of(np.float64)]


@dataclass(frozen=True, slots=True)
class Score:
    """One evaluation of the weights under one set of statistics."""

    loss: float
    accuracy: float
    predicted: tuple[int, ...]
    """How many images each class was predicted for, in the order of `RunFacts.class_names`."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One evaluation less another, of the same weights on the same images, compared in pairs."""

    accuracy: float
    accuracy_error: float
    """Standard error (formulas: `evaluation.Outcome.less`)."""
    loss: float
    loss_error: float
    images: int
    of_loss: float = 0.0
    """The second evaluation's loss."""


@dataclass(frozen=True, slots=True, eq=False)
class ChannelValues:
    """What one layer's channels are normalised with: read-only float32 arrays of the layer's channels.

    Statistics are (2, channels): the means, and the biased variances.
    """

    running: Floats
    fresh: Floats
    before: Floats
    """The running statistics before the last update of them; NaN where none has moved them, as after
    a recalibration."""
    batch: Floats
    """The statistics of that update's batch."""
    kept: float
    """The share of the old statistics that it kept: running = kept · before + (1 − kept) · batch."""
    scale: Floats
    """γ and β of every channel, 1 and 0 where none are learned."""
    shift: Floats
    epsilon: float


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """One layer's drift, channel by channel: read-only float32 arrays of the layer's channels."""

    mean_gap: Floats
    """Running mean − fresh mean, signed, in fresh standard deviations."""
    log_var_ratio: Floats
    """ln((running variance + ε) / (fresh variance + ε))."""
    mean_start: Floats
    """The part of `mean_gap` that is left of the start value; the rest is lag and noise."""
    variance_start: Floats
    """What is left of the start value in (running − fresh) / (fresh variance + ε)."""
    variance_rest: Floats
    """Lag and noise in the same."""
    quiet: Floats
    """1 where the fresh variance is below ε/10, so that the channel puts out little, else 0."""
    values: ChannelValues | None = None
    """What all this is made of; None where it was not measured."""


NO_DETAIL = Channels(*np.zeros((6, 0), dtype=np.float32))
"""In place of a layer's channels, which are not kept of every epoch."""


@dataclass(frozen=True, slots=True)
class LayerDrift:
    """How far one BN layer's running statistics are from fresh ones (formulas: `drift.drift`).

    It describes. What a layer is to blame for is measured by exchanging its statistics: `Exchange`.
    Means are over all channels whose numbers are finite.
    """

    name: str
    channels: int
    positions: int
    """Values per channel that one image brings: height times width."""
    mean_gap: float
    """Mean of |running mean − fresh mean|, in fresh standard deviations."""
    mean_gap_max: float
    log_var_ratio: float
    """Signed mean of ln((running variance + ε) / (fresh variance + ε)): channels can cancel out."""
    output_error: float
    """RMS difference between the layer's output in eval and in training mode."""
    network_error: float
    """The same with stale statistics in all layers before it too, relative to the output's RMS:
    saturates near 1."""
    start_left: float
    """Share of the start value (mean 0, variance 1) that is still in the running statistics."""
    non_finite: int
    untouched: bool
    """Whether mean and variance are exactly 0 and 1 in every channel: never updated."""
    detail: Channels
    log_var_off: float = math.nan
    """Mean of |ln((running variance + ε) / (fresh variance + ε))|: nothing cancels out."""
    quiet: int = 0
    """Channels whose fresh variance is below ε/10, so that they put out little; counted all the same."""


NOT_COMPARED = Difference(math.nan, math.inf, math.nan, math.inf, 0)


@dataclass(frozen=True, slots=True)
class Validation:
    """The same weights, validated under running and under fresh statistics."""

    update: int
    images: int
    running: Score
    fresh: Score
    layers: tuple[LayerDrift, ...]
    flipped: float = 0.0
    """Share of predictions that differ between eval and training mode, on `flipped_images`."""
    flipped_images: int = 0
    difference: Difference = NOT_COMPARED
    """Running less fresh."""
    corrected: Score | None = None
    """Under the run's own statistics without their start value; None where nothing of it is left."""
    logits_error: float = math.nan
    """Of the logits in eval mode, after the best rescaling, on a few images (`rescaled_error`)."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one BN layer's statistics do to validation."""

    name: str
    alone: Difference
    """This layer under running, all others under fresh statistics, less all under fresh."""
    rescued: Difference
    """This layer under fresh, all others under running statistics, less all under running."""


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Which layers are to blame: of many, those with the largest local drift were exchanged."""

    update: int
    images: int
    running: Score
    fresh: Score
    difference: Difference
    """Running less fresh."""
    layers: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whether waiting would heal, with the weights at hand: measured on mixed statistics."""

    update: int
    images: int
    fresh: Score
    curve: tuple[tuple[float, float, float], ...]
    """(updates, accuracy, loss) after 1, 2, 4, … updates."""
    sound_in: float
    """Updates after which running statistics do no harm; infinity where they still would."""
    momentum: float
    """At which they were reckoned: the share of the old statistics that is kept."""


@dataclass(frozen=True, slots=True)
class LayersWaiting:
    """The same for single layers, all others being under fresh statistics."""

    update: int
    images: int
    layers: tuple[tuple[str, float], ...]
    """(name, updates after which the layer alone does no harm; 0 where it does none now)."""


@dataclass(frozen=True, slots=True)
class ChannelExchange:
    """What the statistics of a few channels of one BN layer do to validation."""

    layer: str
    channels: int
    low_variance: bool
    """Whether they are those of low variance (below 10 ε), or the worst ones."""
    alone: Difference
    """These channels under running, all others under fresh statistics, less all under fresh."""


@dataclass(frozen=True, slots=True)
class ChannelExchanges:
    """Which channels are to blame, in the layers that were exchanged; measured when it was asked for."""

    update: int
    images: int
    parts: tuple[ChannelExchange, ...]


@dataclass(frozen=True, slots=True)
class LayerShift:
    """How far validation images' own statistics are from training images', in one layer or the input."""

    name: str
    mean_gap: float
    """Mean of the absolute difference of means, in standard deviations of training images."""
    log_var_off: float
    """Mean of |ln(validation images' variance / training images' variance)|, ε added to both."""


@dataclass(frozen=True, slots=True)
class DataCheck:
    """Training beside validation images, under the same weights."""

    update: int
    images: int
    """Validation images."""
    fresh: Score
    """Validation images under fresh statistics (of training images)."""
    own: Score
    """Validation images under statistics of their own: a diagnosis, never a cure."""
    as_trained: float
    """Accuracy under fresh statistics if classes were as frequent as among training images."""
    training_images: int
    training_fresh: Score
    """Training images in eval mode, under fresh statistics."""
    training: Difference
    """Training images in eval mode: under running less under fresh statistics."""
    training_running: Score
    statistics_images: int
    """Training images that fresh statistics were taken from."""
    shifts: tuple[LayerShift, ...]
    """Of the input, pixel by pixel, and of every BN layer, channel by channel."""


@dataclass(frozen=True, slots=True, eq=False)
class Hindsight:
    """Validation accuracy under every estimator row, at n moments of the run; read-only arrays."""

    names: tuple[str, ...]
    images: int
    updates: Doubles
    """(n,), ascending."""
    accuracy: Doubles
    """(rows, n), in the order of `names`."""
    own: Doubles
    """(n,), under the run's own running statistics."""
    fresh: Doubles
    """(n,), under fresh statistics."""
    momentum: Doubles
    """(n,), the run's own momentum at the time."""
    gains: tuple[Difference, ...] = ()
    """At the last moment, every row less the run's own; nothing where it was not compared."""
    behind: tuple[Difference, ...] = ()
    """At the last moment, every row less the one of the highest accuracy, of equals lowest loss."""
    recommended: float | None = None
    """The constant momentum that the last moment, and those before it, recommend."""
    distance: bool = False
    """Whether `accuracy`, `own` and `fresh` are no accuracies but distances, where no validation data were
    given: the largest of the layers' absolute mean ln((variance + ε) / (fresh variance + ε))."""


@dataclass(frozen=True, slots=True)
class Recalibration:
    """What recalibrated statistics do, or would do, to validation accuracy at one update."""

    update: int
    before: float
    after: float
    applied: bool
    images: int = 0
    """Validation images that both were measured on; 0 where that was not kept."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The gradient noise scale tr(Σ)/|G|² in images, and what it says of the batch size.

    What was measured is the interval: `scale` alone does not say how far it can be trusted (see
    `noise_interval.py`).
    """

    update: int
    """Of the newest measurement."""
    scale: float
    """The best guess: infinite while the gradient is lost in its noise, NaN without finite numbers."""
    suggested_batch: int | None
    """The power of two in the middle of the 68 % interval; None where the 95 % one has no upper end,
    and where that is more than the training set."""
    measurements: int
    """How many were averaged."""
    low: float = 0.0
    """The scale is between `low` and `high` with a probability of 95 %: above `low` is all that can be
    said where `high` is infinite, and nothing where `low` is 0 besides, as in reports of older versions."""
    high: float = math.inf
    low_68: float = 0.0
    """The same with a probability of 68 %."""
    high_68: float = math.inf
