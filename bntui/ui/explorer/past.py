"""Moments of a run's past, of which the validations were kept. Pure."""

from dataclasses import replace

import numpy as np

from bntui.core.measured import Validation
from bntui.core.series import SeriesView
from bntui.core.snapshot import Snapshot


def kept_validations(snapshot: Snapshot) -> tuple[Validation, ...]:
    """Return the validations that were kept with every channel, the last one among them, oldest first."""
    last = snapshot.validation
    if last is None or not last.layers or (snapshot.past and snapshot.past[-1] is last):
        return snapshot.past
    return (*(one for one in snapshot.past if one.update < last.update), last)


def nearest(snapshot: Snapshot, update: float) -> Validation | None:
    """Return the last kept validation up to `update`; None if there is none."""
    before = [one for one in kept_validations(snapshot) if one.update <= update]
    return before[-1] if before else None


def as_of(snapshot: Snapshot, validation: Validation) -> Snapshot:
    """Return a run as it was at one of its validations: what was not kept of it is not there."""
    update, done = validation.update, snapshot.recalibrated
    return replace(
        snapshot,
        update=update,
        validation=validation,
        series={name: _until(view, update) for name, view in snapshot.series.items()},
        what_if=None,
        exchanges=None,
        waiting=None,
        layers_waiting=None,
        data_check=None,
        channel_exchanges=None,
        recalibration=None,
        recalibrated=done if done and done.update <= update else None,
    )


def _until(view: SeriesView, update: float) -> SeriesView:
    """Return a series up to an update."""
    end = int(np.searchsorted(view.x, update, side="right"))
    return SeriesView(
        view.x[:end], view.low[:end], view.high[:end], view.last[:end], view.broken[:end]
    )
