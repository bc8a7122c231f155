"""What the outside sees of a run: frozen, absolute, plain numbers. Imports no torch.

A snapshot is never a delta: whoever skips one loses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bntui.engine.config import Knobs, RunConfig
from bntui.engine.series import SeriesView


class Phase(StrEnum):
    """Where a run stands."""

    LOADING = "loading"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    """All epochs are done; everything is in place, and more can be trained."""
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Score:
    """One evaluation of the weights under one set of statistics."""

    loss: float
    accuracy: float
    predicted: tuple[int, ...]
    """How many images each class was predicted for."""


@dataclass(frozen=True, slots=True)
class LayerDrift:
    """How far one BN layer's running statistics are from fresh ones (formulas: `statistics.drift`)."""

    name: str
    channels: int
    mean_gap: float
    """Mean over live channels of |running mean − fresh mean|, in fresh standard deviations."""
    mean_gap_max: float
    worst_channel: int
    """The channel of `mean_gap_max`, −1 if no channel is alive."""
    log_var_ratio: float
    """Signed mean over live channels of ln((running variance + ε) / (fresh variance + ε))."""
    output_error: float
    """RMS difference between the layer's output in eval and in training mode."""
    start_left: float
    """Share of the start value (mean 0, variance 1) that is still in the running statistics."""
    dead: int
    non_finite: int


@dataclass(frozen=True, slots=True)
class Validation:
    """The same weights, validated under running and under fresh statistics."""

    update: int
    images: int
    running: Score
    fresh: Score
    layers: tuple[LayerDrift, ...]


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
    hindsight: tuple[tuple[str, float], ...] = ()
    """Validation accuracy under each estimator row, by the row's name."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at an update and belongs on every chart."""

    update: int
    label: str


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run is made of, known once it is loaded."""

    device: str
    dataset: str
    train: int
    validation: int
    parameters: int
    classes: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The absolute state of a run at one moment."""

    phase: Phase = Phase.LOADING
    message: str = ""
    """What is being loaded, or why the run failed, in one sentence."""
    traceback: str = ""
    config: RunConfig = field(default_factory=RunConfig)
    facts: RunFacts | None = None
    """None until the run is loaded."""
    knobs: Knobs = field(default_factory=Knobs)
    """The knobs that are applied, not those that were asked for."""
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
    diverged_at: int | None = None
    """The first update with a non-finite loss."""
    validation: Validation | None = None
    report: EpochReport | None = None
    """The last finished epoch's."""
    marks: tuple[Mark, ...] = ()
    series: Mapping[str, SeriesView] = field(default_factory=dict)
    """History over updates: train_acc, train_loss, val_acc, val_loss, fresh_acc, fresh_loss, and
    drift:LAYER, the log-variance ratio of each BN layer."""
