"""What others see of a run: frozen, absolute, plain numbers. Imports no torch.

A snapshot is never a delta: whoever skips one loses nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bntui.core.border import Positive
from bntui.core.config import Knobs, RunConfig
from bntui.core.measured import (
    ChannelExchanges,
    DataCheck,
    Exchanges,
    Hindsight,
    LayerDrift,
    LayersWaiting,
    Noise,
    Recalibration,
    Validation,
    Waiting,
)
from bntui.core.series import SeriesView
from bntui.core.watched import Watched

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

    @property
    def loaded(self) -> bool:
        """Whether there was a network; else the run failed before that, and its figures are not known."""
        return self.parameters > 0


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
    """The knobs that are applied."""
    wanted: Knobs | None = None
    """The knobs that were asked for and are to be applied at the next update; None where none were."""
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
    past: tuple[Validation, ...] = ()
    """Some of this run's validations, oldest first and thinned out, with every layer's channels; at most
    64. Neither kept in the store nor in a checkpoint."""
    hindsight: Hindsight | None = None
    what_if: Hindsight | None = None
    """One moment, on as many images as a validation; measured when it was asked for."""
    exchanges: Exchanges | None = None
    """The last measurement of which layers are to blame. The next three are the last ones, too."""
    waiting: Waiting | None = None
    layers_waiting: LayersWaiting | None = None
    data_check: DataCheck | None = None
    channel_exchanges: ChannelExchanges | None = None
    """Measured when a user opened the screen of a layer."""
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
    watched: Watched | None = None
    """What is told of a training that is not ours. `config` and `knobs` then have what is known of it, and
    defaults."""
    followed: bool = False
    """Whether the run is another process's, or a kept one: it is looked at, and not led."""
    series: Mapping[str, SeriesView] = field(default_factory=dict)
    """History over updates: train_acc and train_loss of every batch; smooth_acc and smooth_loss, their
    moving averages; val_acc, val_loss with running and fresh_acc, fresh_loss with fresh statistics;
    drift:LAYER and gap:LAYER, the mean absolute log-variance ratio and mean gap of each BN layer; noise_scale;
    images and seconds, how many there were at an update."""

    @property
    def noun(self) -> str:
        """What is counted in validations: a training by other code may be of anything."""
        return "samples" if self.watched else "images"

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
