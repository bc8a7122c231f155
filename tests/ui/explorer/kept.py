"""Validations of the past with every channel's numbers, made up."""

from dataclasses import replace
from typing import Any

import numpy as np

from bntui.core.config import RunConfig
from bntui.core.measured import Channels, ChannelValues, LayerDrift, Validation
from bntui.core.snapshot import Snapshot
from tests.ui.scripted import LAYERS, drift_values, mid_run, validation

KEPT = 0.99


def layer(name: str, update: int) -> LayerDrift:
    """Return a layer as it is after so many updates of the same batch from the start."""
    count = LAYERS[name]
    mean, variance = np.linspace(-2, 2, count), np.linspace(0.02, 0.4, count)
    left, before = KEPT**update, KEPT ** (update - 1)
    rows = [
        *((1 - left) * mean, left + (1 - left) * variance, mean, variance),
        *((1 - before) * mean, before + (1 - before) * variance, mean, variance),
    ]
    running, fresh, earlier, batch = np.array(rows, dtype=np.float32).reshape(4, 2, count)
    one = np.ones(count, dtype=np.float32)
    values = ChannelValues(running, fresh, earlier, batch, KEPT, one, 0 * one, 1e-3)
    deviation, ratio = np.sqrt(variance + 1e-3), (running[1] + 1e-3) / (fresh[1] + 1e-3)
    table = [
        (running[0] - mean) / deviation,
        np.log(ratio),
        -left * mean / deviation,
        left * (1 - variance) / (variance + 1e-3),
        *(0 * one, 0 * one),
    ]
    detail = replace(Channels(*np.array(table, dtype=np.float32)), values=values)
    return LayerDrift(**drift_values(name, count) | {"start_left": left, "detail": detail})


def at(update: int, running: float = 0.114) -> Validation:
    """Return the validation of an update."""
    found = validation(running, update=update)
    return replace(found, layers=tuple(layer(name, update) for name in LAYERS))


def kept_run(*updates: int, **changes: Any) -> Snapshot:
    """Return a run whose validations at these updates were kept, the last one among them."""
    past = tuple(at(update, 0.1 + update / 1000) for update in updates or (10, 50, 97))
    return mid_run(RunConfig(), **{"past": past, "validation": past[-1]} | changes)
