"""A guided experiment in the explorer: its runs, one after another, and the ghosts behind each.

Values only: `guide.py` talks with the reader, the explorer makes the runs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bntui.core.cells import cell_len
from bntui.core.config import Observation, RunConfig
from bntui.core.plan import end_of
from bntui.core.run_request import Purpose
from bntui.core.series import SeriesView, thinned
from bntui.core.snapshot import Snapshot
from bntui.ui.drawing.legend import OWNER

if TYPE_CHECKING:  # the first picture needs no experiment
    from bntui.experiments.experiment import Arm, Conclusion, Experiment
    from bntui.experiments.pencil import Pencil

SHORT = {"linear": "lin", "warm": "w", "momentum": "m", "batch": "b", "without": "no"}
"""Short forms of the words in an arm's name, for where a legend has no room for the whole one."""


@dataclass(frozen=True, slots=True)
class Experiments:
    """The experiments that there are, as the command line hands them over."""

    listed: "Callable[[], tuple[Experiment, ...]]" = tuple
    """Those to choose from, in their order."""
    configs: "Callable[[Experiment], tuple[RunConfig, ...]]" = lambda _: ()
    """Returns the configurations of an experiment's arms. Raises ConfigError."""
    first: "Experiment | None" = None
    """The one to ask about before anything runs."""


@dataclass(frozen=True, slots=True)
class ExperimentProgress:
    """An experiment that was begun, as far as it has come."""

    experiment: "Experiment"
    configs: tuple[RunConfig, ...]
    """Of its arms."""
    chosen: int | None
    """The reader's prediction: the number from 1 of a choice."""
    ended: tuple[Snapshot, ...] = ()
    """The last snapshots of the arms that have run, without their checkpoints."""
    left: bool = False
    """Whether the run at hand is no longer the arm that it began as."""
    failed: bool = False
    """Whether the run at hand has failed, so that no other follows it."""
    pencil: "Pencil | None" = None
    """The reader's prediction as a line, where one was drawn."""

    @property
    def over(self) -> bool:
        """Whether every arm has run."""
        return len(self.ended) == len(self.configs)

    @property
    def under_way(self) -> bool:
        """Whether the run at hand is one of its arms, and not the end of the last."""
        return not (self.over or self.left or self.failed)

    @property
    def place(self) -> int:
        """Which arm the run at hand is, from 0."""
        return min(len(self.ended), len(self.configs) - 1)

    @property
    def arm(self) -> "Arm":
        """The arm that the run at hand is."""
        return self.experiment.arms[self.place]

    @property
    def config(self) -> RunConfig:
        """The configuration of that arm."""
        return self.configs[self.place]

    @property
    def purpose(self) -> Purpose:
        """What is to be measured of it, as without a screen, and how it is called in the store."""
        return Purpose(self.arm.observation(Observation()), self.experiment.note(self.arm))

    def with_end(self, snapshot: Snapshot) -> "ExperimentProgress":
        """Take the last snapshot of the run at hand."""
        return replace(self, ended=(*self.ended, replace(snapshot, checkpoints=())))

    def conclusion(self) -> "Conclusion":
        """Hold the claims against what the arms have shown so far."""
        from bntui.experiments.experiment import conclude
        from bntui.experiments.outcome import outcome

        names = (arm.name for arm in self.experiment.arms)
        outcomes = dict(zip(names, map(outcome, self.ended), strict=False))
        return conclude(self.experiment, outcomes, self.chosen)

    @property
    def drawn(self) -> int | None:
        """Which arm the pencil's line is about, from 0; None where there is no line."""
        curve = self.experiment.question.draw
        names = [arm.name for arm in self.experiment.arms]
        return names.index(curve.arm) if curve and self.pencil else None

    def line(self, snapshot: Snapshot) -> SeriesView | None:
        """Return the pencil's line over the updates of its arm, for the run at hand or after the last.

        Beside another arm there is none; nor before the run at hand, which is at `snapshot`, is loaded.
        """
        if self.pencil is None or self.drawn is None or not (self.over or self.drawn == self.place):
            return None
        end = end_of(self.ended[self.drawn] if self.over else snapshot)
        return self.pencil.line(end.update) if end else None

    def off(self) -> float:
        """Return how far the pencil's line was from its arm's curve, on average; NaN where that is not known."""
        curve = self.experiment.question.draw
        if curve is None or self.pencil is None or self.drawn is None:
            return math.nan
        if self.drawn >= len(self.ended):
            return math.nan
        arm = self.ended[self.drawn]
        end, measured = end_of(arm), arm.series.get(curve.series)
        return self.pencil.off(measured, end.update) if end and measured else math.nan

    def ghosts(self, snapshot: Snapshot) -> list[tuple[str, Snapshot]]:
        """Return names and states of what lies behind the run at hand, which is at `snapshot`.

        The arms before it, and the thread's own run where the arm repeats one.
        """
        behind = list(zip(short_names(self.experiment), self.ended[: self.place], strict=False))
        if self.arm.published and snapshot.facts:
            train, per_epoch = snapshot.facts.train, snapshot.updates_per_epoch
            behind.append(("thread", thread(self.arm.published, per_epoch, train)))
        return behind


def short_names(experiment: "Experiment") -> list[str]:
    """Return what legends call the arms: their names, or numbers where one is too long for that."""
    names = [_short(arm.name) for arm in experiment.arms]
    if len(set(names)) == len(names) and all(cell_len(name) <= OWNER for name in names):
        return names
    return [f"#{number}" for number in range(1, len(names) + 1)]


def _short(name: str) -> str:
    words = name.replace("-", "_").split("_")
    whole = " ".join(words)
    return whole if cell_len(whole) <= OWNER else " ".join(SHORT.get(word, word) for word in words)


@cache
def thread(batch: int, updates_per_epoch: int, train: int) -> Snapshot:
    """Return the thread's own run as one to lie behind another, epoch by epoch.

    Its x is in epochs of that run, of so many updates and `train` images; its seconds are its own.
    """
    from bntui.experiments.outcome import published

    run = published()[batch]
    epochs = np.arange(1, len(run.history("val_acc")) + 1)
    columns: dict[str, npt.ArrayLike] = {
        "val_acc": run.history("val_acc"),
        "val_loss": run.history("val_loss"),
        "images": epochs * train,
        "seconds": run.history("seconds"),
    }
    series = {name: thinned(epochs * updates_per_epoch, values) for name, values in columns.items()}
    return Snapshot(series=series)
