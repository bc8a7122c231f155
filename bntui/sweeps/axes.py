"""What a diagram of a sweep can have as an axis, and where on it each cell lies. Pure; imports no torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bntui.core.config import RunConfig
from bntui.core.estimators import ROWS
from bntui.core.settings import SETTINGS
from bntui.core.sweep import CellState, Design, SweepView

MOMENTUM = "hindsight"
"""The axis of the estimators that every run keeps: `estimators.ROWS`, a momentum each and three more."""
UPDATES = "updates"
"""The axis of updates an epoch, in place of batch size: where they are the same in every epoch."""
NO_AXIS = ""
"""An axis of one place, which holds all cells: for a sweep that varies too little for two axes."""
_BATCH, _MOMENTUM = "batch_size", "momentum"
SAME = {_BATCH: UPDATES, UPDATES: _BATCH}
"""Axes that say the same in two ways: one of both is drawn, or looked at at one value."""
_LABELS = {
    MOMENTUM: "momentum (Keras's)",
    _MOMENTUM: "the run's own momentum (Keras's)",
    UPDATES: "updates an epoch",
}

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis of the diagram."""

    name: str
    """As in `phase.Choice`."""
    label: str
    """As the screen and pictures call it: "batch size", "momentum (Keras's)"."""
    values: tuple[str, ...]
    """What stands at each place, as it is shown; numbers ascend."""


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """The axes of a sweep."""

    scales: Mapping[str, Scale]
    """By name, in the order in which they are offered."""
    places: Mapping[str, Places]
    """Where each cell of the design lies on each axis but `MOMENTUM`: (cells,)."""


def axes_of(view: SweepView) -> Axes:
    """Return the axes of a sweep: settings with several values, updates an epoch, and momenta."""
    design = view.design
    scales: dict[str, Scale] = {}
    places: dict[str, Places] = {}
    for number, axis in enumerate(design.axes):
        values = _ordered(axis.values)
        if len(values) < 2:
            continue
        row = SETTINGS[axis.setting]
        label = _LABELS.get(axis.setting, row.label)
        scales[axis.setting] = Scale(axis.setting, label, tuple(map(row.show, values)))
        place = {value: at for at, value in enumerate(values)}
        places[axis.setting] = np.array([place[one.cell.values[number]] for one in view.cells])
        if axis.setting == _BATCH and (updates := updates_per_epoch(view.cells)):
            each = sorted(set(updates))
            scales[UPDATES] = Scale(UPDATES, _LABELS[UPDATES], tuple(f"{one:,}" for one in each))
            places[UPDATES] = np.searchsorted(each, updates)
    if keeps_momenta(design):
        scales[MOMENTUM] = Scale(MOMENTUM, _LABELS[MOMENTUM], ROWS)
    scales[NO_AXIS] = Scale(NO_AXIS, "", ("",))
    places[NO_AXIS] = np.zeros(len(view.cells), dtype=np.intp)
    return Axes(scales, places)


def keeps_momenta(design: Design) -> bool:
    """Return whether a run of the design tells of every momentum."""
    varied = {axis.setting: axis.values for axis in design.axes}
    norms = varied.get("norm", (design.base.norm,))
    layers = varied.get("norm_layers", (design.base.norm_layers,))
    return any(one in {"batch", "ghost"} for one in norms) and any(one != 0 for one in layers)


def updates_per_epoch(cells: Sequence[CellState]) -> list[int]:
    """Return each cell's updates an epoch, ⌈images / batch⌉; nothing where one grows, or is not known yet."""
    if not all(one.cell.config.has_fixed_batch for one in cells):
        return []
    known = train_images(cells)
    sizes = [known.get(_images_of(one.cell.config), 0) for one in cells]
    if not all(sizes):
        return []
    batches = [one.cell.config.knobs.batch_size for one in cells]
    return [-(-size // batch) for size, batch in zip(sizes, batches, strict=True)]


def train_images(cells: Sequence[CellState]) -> dict[tuple[str, int | None], int]:
    """Return how many training images there are, by data set and train size, as the runs have found."""
    return {_images_of(one.cell.config): one.train for one in cells if one.train}


def images_of(cells: Sequence[CellState], config: RunConfig) -> int:
    """Return how many training images a run has; 0 where no run of them has begun."""
    return train_images(cells).get(_images_of(config), 0)


def _images_of(config: RunConfig) -> tuple[str, int | None]:
    return config.dataset, config.train_size


def _ordered(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return numbers ascending, None (all) after them; anything else as it was given."""
    if all(value is None or type(value) in {int, float} for value in values):
        return tuple(sorted(values, key=lambda value: math.inf if value is None else value))
    return values
