"""What the outside sees of a run: frozen, absolute, plain numbers. Imports no torch.

A snapshot is never a delta: whoever skips one loses nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bntui.core.border import Positive
from bntui.core.config import Knobs, RunConfig
from bntui.core.series import SeriesView

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


TWIN = "twin:"
"""How the names of the second run's series begin where both runs' are kept together."""
MAX_REPORTS = 1000
"""Epochs whose reports are at hand, at most."""


class Phase(StrEnum):
    """Where a run stands."""

    LOADING = "loading"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    """All epochs are done; everything is in place, and more can be trained."""
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    """Stopped, but not by its user: the link dropped, or the machine goes down."""
    FAILED = "failed"


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


@dataclass(frozen=True, slots=True)
class EpochReport:
    """The figures of one finished epoch. `loss` and `acc` are its running averages, as in Keras."""

    epoch: int
    update: int
    seconds: float
    images_per_s: float
    loss: float
    acc: float
    val_loss: float
    val_acc: float
    val_loss_fresh: float
    val_acc_fresh: float
    layers: tuple[LayerDrift, ...] = ()
    """Every BN layer's drift, with `NO_DETAIL` of its channels."""
    logits_error: float = math.nan
    """Of the logits in eval mode against training mode, after the best rescaling."""
    hindsight: tuple[tuple[str, float], ...] = ()
    """Validation accuracy under each estimator row, by the row's name."""
    twin: str = ""
    """The setting in which the run differs from its twin, if it is the second of two in lockstep."""
    noise: Noise | None = None
    """None where it was not asked for."""

    @property
    def noise_scale(self) -> float:
        """The best guess of the gradient noise scale at the epoch's end; NaN where there is none."""
        return self.noise.scale if self.noise else math.nan

    @property
    def noise_scale_low(self) -> float:
        """The lower end of its 95 % interval; NaN where there is none."""
        return self.noise.low if self.noise else math.nan

    @property
    def noise_scale_high(self) -> float:
        """The upper end, infinite where none can be told; NaN where there is none."""
        return self.noise.high if self.noise else math.nan


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at an update and belongs on every chart."""

    update: int
    """How many updates came before; of a divergence, the update itself."""
    label: str
    change: str = ""
    """What `--at` takes to do it again, without the update; empty if the run did it by itself."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first non-finite number of a run."""

    update: int
    layer: str
    """The first BN layer with non-finite batch statistics in that update's forward pass, else `loss`."""


class Kept(Protocol):
    """Bytes that lie elsewhere than in memory."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def read(self) -> bytes:
        """Return them. Raises OSError."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A moment of a run that can be returned to."""

    update: int
    label: str
    """What was about to happen, or what had just ended."""
    config: RunConfig
    """Of the run as it began; the knobs of the moment are in the state."""
    state: bytes | Kept = field(repr=False)
    """What a session restores itself from, or where it is kept: see `content`."""
    run: str = ""
    """The run's id, if it is kept."""

    def content(self) -> bytes:
        """Return the state."""
        return self.state if isinstance(self.state, bytes) else self.state.read()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run is made of, known once it is loaded."""

    device: str
    dataset: str
    train: Positive
    validation: int
    parameters: int
    class_names: tuple[str, ...]
    activation_bytes: int
    """Memory that one training image's activations take, measured on one small batch."""
    threads: int = 0
    """CPU threads that torch computes with; 0 if that is not known."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The absolute state of a run at one moment."""

    phase: Phase = Phase.LOADING
    message: str = ""
    """What is being loaded, or why the run failed, in one sentence."""
    traceback: str = ""
    run: str = ""
    """The run's id, if it is kept; empty until it is loaded."""
    config: RunConfig = field(default_factory=RunConfig)
    facts: RunFacts | None = None
    """None until the run is loaded."""
    knobs: Knobs = field(default_factory=Knobs)
    """The knobs that are applied, not those that were asked for."""
    asked: Knobs | None = None
    """The last knobs that were asked for and taken over: the object itself, as it was given."""
    observing: bool = True
    """Whether the run is measured while it trains."""
    update: int = 0
    epoch: int = 0
    """The epoch under way, counted from 1; 0 before the first update."""
    epochs: int = 0
    """The epoch at whose end the run pauses."""
    updates_per_epoch: int = 0
    images: int = 0
    seconds: float = 0.0
    """Time spent training and observing; pauses do not count."""
    images_per_s: float = 0.0
    """Over training steps only."""
    observed_share: float = 0.0
    """Share of `seconds` that observing took."""
    divergence: Divergence | None = None
    validation: Validation | None = None
    hindsight: Hindsight | None = None
    what_if: Hindsight | None = None
    """One moment, on as many images as a validation; measured when it was asked for."""
    exchanges: Exchanges | None = None
    """The last time that it was measured which layers are to blame; so are the three below."""
    waiting: Waiting | None = None
    layers_waiting: LayersWaiting | None = None
    data_check: DataCheck | None = None
    channel_exchanges: ChannelExchanges | None = None
    """Measured when a layer was looked at from near."""
    recalibration: Recalibration | None = None
    """The last one that was tried or applied."""
    recalibrated: Recalibration | None = None
    """The last one that was applied."""
    noise: Noise | None = None
    """The latest gradient noise scale; None until it was measured."""
    reports: tuple[EpochReport, ...] = ()
    """The finished epochs', oldest first: of many, the last `MAX_REPORTS`; of a branch, its own."""
    marks: tuple[Mark, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    """Moments that can be returned to, oldest first; the older ones thin out."""
    twin: "Snapshot | None" = None
    """The second of two runs in lockstep, at the same update."""
    series: Mapping[str, SeriesView] = field(default_factory=dict)
    """History over updates: train_acc and train_loss of every batch; smooth_acc and smooth_loss, their
    moving averages; val_acc, val_loss with running and fresh_acc, fresh_loss with fresh statistics;
    drift:LAYER and gap:LAYER, the mean absolute log-variance ratio and mean gap of each BN layer; noise_scale;
    images and seconds, how many there were at an update."""

    @property
    def report(self) -> EpochReport | None:
        """The last finished epoch's."""
        return self.reports[-1] if self.reports else None

    @property
    def accuracies(self) -> tuple[float, float] | None:
        """Validation accuracy with running and with fresh statistics, as they were seen last.

        Both are of one measurement: the last epoch's report; or the last validation, where that is
        newer, came after a recalibration, or has fresh statistics where the report has none. NaN for
        what was not measured, None where nothing was.
        """
        report, validation, done = self.report, self.validation, self.recalibrated
        seen: list[tuple[int, int, float, float]] = []  # of one update, what goes before has more
        fresh = report.val_acc_fresh if report else math.nan
        if report:
            seen.append((report.update, 1, report.val_acc, fresh))
        if done:  # which leaves the weights, and so what fresh statistics make of them
            same = report is not None and report.update == done.update
            seen.append((done.update, 2, done.after, fresh if same else math.nan))
        if validation:
            more = math.isnan(fresh) or (done is not None and done.update == validation.update)
            both = validation.running.accuracy, validation.fresh.accuracy
            seen.append((validation.update, 3 if more else 0, *both))
        return max(seen)[2:] if seen else None
