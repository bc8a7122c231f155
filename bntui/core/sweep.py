"""A sweep: runs of every combination of some settings' values, each with several seeds. Imports no torch.

A cell is one configuration with its seed, and one run in the store, whose id follows from it: so the store
tells of every cell how it stands, whichever sweep, or process, has run it.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count, product
from typing import Any, Protocol

from bntui.core.config import Observation, RunConfig
from bntui.core.settings import SETTINGS, typed, values_of, with_values

OBSERVED = Observation(live=False, epoch_ends=True, epoch_fresh=True, hindsight=True, causes=False)
"""What is measured of a cell: at each epoch's end, validation under its own, fresh and every estimator's
statistics."""
NOT_OF_THE_NUMBERS = {"data_dir", "device", "threads", "pace"}
"""Settings that do not make another cell: they say where and how fast it is computed."""
MOST_CELLS = 100_000
"""Cells of a sweep, at most."""
LONGEST_NAME = 60
"""Characters of a sweep's name."""
_FORMAT = "bntui cell 1"


@dataclass(frozen=True, slots=True)
class Axis:
    """A setting that a sweep varies."""

    setting: str
    """A field of `RunConfig` or `Knobs`, not the seed."""
    values: tuple[Any, ...]
    """Different ones, in the order in which they were given."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a sweep."""

    id: str
    """Of its run in the store."""
    config: RunConfig
    values: tuple[Any, ...]
    """Its place on each axis of the design, in their order."""

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.config.seed


@dataclass(frozen=True, slots=True)
class Design:
    """What a sweep runs."""

    base: RunConfig
    """The settings that all runs share."""
    axes: tuple[Axis, ...] = ()
    seeds: tuple[int, ...] = (0,)

    def cells(self) -> tuple[Cell, ...]:
        """Return every run: all combinations with the first seed, then with the next."""
        names = [axis.setting for axis in self.axes]
        return tuple(
            cell_of(
                with_values(self.base, {**dict(zip(names, values, strict=True)), "seed": seed}),
                values,
            )
            for seed in self.seeds
            for values in product(*(axis.values for axis in self.axes))
        )

    def count(self) -> int:
        """Return how many cells there are."""
        return len(self.seeds) * math.prod(len(axis.values) for axis in self.axes)


def cell_of(config: RunConfig, values: tuple[Any, ...] = ()) -> Cell:
    """Return the cell of a configuration."""
    return Cell(cell_id(config), config, values)


def cell_id(config: RunConfig) -> str:
    """Return the id of a cell's run: 12 digits of the SHA-256 of all settings that change its numbers."""
    settings = {
        name: str(value) if name == "at" else typed(value)
        for name, value in values_of(config).items()
        if name not in NOT_OF_THE_NUMBERS and value != SETTINGS[name].default
    }
    text = json.dumps([_FORMAT, settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class Standing(StrEnum):
    """How a cell stands."""

    WAITING = "waiting"
    RUNNING = "running"
    """A process has it, this one or another."""
    INTERRUPTED = "interrupted"
    """No process has it; it goes on from its last checkpoint, or begins anew."""
    FINISHED = "finished"
    FAILED = "failed"


OVER = frozenset({Standing.FINISHED, Standing.FAILED})
"""How a cell stands that is neither to be run nor to be finished."""


@dataclass(frozen=True, slots=True)
class EpochOutcome:
    """What was measured of a cell at an epoch's end: validation accuracies from 0 to 1, NaN where none was."""

    epoch: int
    update: int
    own: float
    """With the run's own running statistics."""
    fresh: float
    rows: tuple[float, ...]
    """With each estimator's, in the order of `estimators.ROWS`."""


@dataclass(frozen=True, slots=True)
class CellState:
    """A cell as the store has it."""

    cell: Cell
    standing: Standing = Standing.WAITING
    epochs: tuple[EpochOutcome, ...] = ()
    """Ascending."""
    updates: int = 0
    images: int = 0
    """Trained on so far, those of every epoch."""
    seconds: float = 0.0
    """Of training and measuring."""
    train: int = 0
    """Images of the training set; 0 before it is known."""
    message: str = ""
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class SweepView:
    """A sweep as the store has it at one moment; the same object while nothing changes."""

    name: str
    design: Design
    cells: tuple[CellState, ...]
    """In the order of `design.cells()`."""
    message: str = ""
    """What there is to say, such as that the store can't be read."""

    def count(self, standing: Standing) -> int:
        """Return how many cells stand so."""
        return sum(one.standing is standing for one in self.cells)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to run: each cell has finished or failed."""
        return all(one.standing in OVER for one in self.cells)


def tried_again(view: SweepView, retrying: AbstractSet[str]) -> SweepView:
    """Return the view in which failed cells that are tried again, from their start, wait.

    The same object where there are none. `retrying` has ids of cells.
    """
    if not retrying:
        return view
    cells = tuple(
        CellState(one.cell) if one.standing is Standing.FAILED and one.cell.id in retrying else one
        for one in view.cells
    )
    same = all(one is other for one, other in zip(cells, view.cells, strict=True))
    return view if same else replace(view, cells=cells)


class SweepSource(Protocol):
    """Where a screen has a sweep from. `store.follow_sweep.FollowedSweep` implements it."""

    view: SweepView
    """The latest; its fields never change, the attribute does."""

    def start(self) -> None:
        """Begin to read, on a thread of its own."""

    def leave(self, timeout: float) -> bool:
        """Read what was written before, and end; return whether the thread has ended. What runs goes on."""


class SweepLead(Protocol):
    """What runs a sweep's cells. `sweeps.driver.Driver` implements it; any thread may call it."""

    message: str
    """What there is to say of the work, such as that a worker died and its cell goes on elsewhere."""
    over: bool
    """Whether it has ended: nothing is left to do, or it has given up."""
    failure: str
    """Why it has given up, in one sentence; empty if it has not."""
    retrying: frozenset[str]
    """The ids of cells that are still tried again if they have failed, for `tried_again`."""

    @property
    def workers(self) -> str:
        """With what it works at the moment: "2 processes of 1 thread", "Ray: 8 CPUs on 2 nodes"."""

    def start(self) -> None:
        """Begin, on a thread of its own."""

    def leave(self, timeout: float, *, interrupted: bool = False) -> bool:
        """End: cells under way are kept to go on later. Return whether all has ended."""


def threads_fitted(design: Design, threads: int) -> Design:
    """Return the design with so many CPU threads a run, unless it says how many."""
    if design.base.threads is not None:
        return design
    return replace(design, base=replace(design.base, threads=threads))


def same_runs(one: Design, other: Design) -> bool:
    """Tell whether two designs have the same axes and runs, in whatever order, however they are computed."""
    if one == other:
        return True
    shape = [({axis.setting for axis in design.axes}, design.count()) for design in (one, other)]
    if shape[0] != shape[1]:
        return False
    here, there = ({cell.id for cell in design.cells()} for design in (one, other))
    return here == there


def why_no_name(name: str) -> str:
    """Return why a sweep can't be called so, as the end of a sentence; nothing where it can."""
    if not name or len(name) > LONGEST_NAME:
        return f"it has {len(name)} characters and must have 1 to {LONGEST_NAME}"
    if not name.isprintable() or " " in name or "/" in name:
        return "it has a space, a slash or a control character"
    if name.startswith("-"):
        return "it begins like an option"
    if re.fullmatch("[0-9a-fA-F]+", name) or name.lower() == "last":
        return "it could be a run's: put in a letter behind f, or a dash"
    return ""


def free_name(is_taken: Callable[[str], bool]) -> str:
    """Return the first of sweep-1, sweep-2 … that no sweep has."""
    return next(name for n in count(1) if not is_taken(name := f"sweep-{n}"))


def start_left(momentum: float, updates: float) -> float:
    """Return the share mᵗ of the start values that is left after so many updates (Keras's momentum)."""
    return math.pow(momentum, updates)


def momentum_of(share: float, updates: float) -> float:
    """Return the momentum of which `share` of the start values is left after so many updates: share^(1/t)."""
    return math.exp(math.log(share) / updates)
