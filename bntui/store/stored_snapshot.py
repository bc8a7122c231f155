"""A stored run as a snapshot, so that what draws a live one can draw it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from bntui.core import watched_words
from bntui.core.command_line import command_line
from bntui.core.measured import Hindsight
from bntui.core.series import SeriesView, thinned
from bntui.core.settings import twin_of
from bntui.core.snapshot import MAX_REPORTS, TWIN, EpochReport, Mark, Phase, Snapshot
from bntui.store.database import Store
from bntui.store.details import Detail, with_details
from bntui.store.rows import Points, StoredRun

HINDSIGHT = "hindsight:"
"""How the series of the map of all momenta begin: its estimators, and the three below."""
_BESIDE = ("own", "fresh", "momentum")


def load_snapshot(store: Store, run: str) -> Snapshot:
    """Return a stored run's last state: all of its histories, reports, marks, measurements and the map.

    Left out are the validations before the last. An interrupted run has stopped. Raises StoreError.
    """
    stored, points, reports = store.run(run), store.points(run), store.reports(run)
    series = {
        name: thinned(series.updates, series.values)
        for name, series in points.items()
        if not name.startswith(HINDSIGHT)
    }
    whole = outline(stored, store.marks(run))
    return assembled(whole, reports, series, hindsight_of(points), store.details(run))


def assembled(
    whole: Snapshot,
    reports: Iterable[EpochReport],
    series: Mapping[str, SeriesView],
    hindsight: Hindsight | None,
    details: Mapping[str, Detail],
) -> Snapshot:
    """Return a stored run's state of its parts, of which some are its twin's."""
    reports, twin = tuple(reports), None
    if whole.config.twin:
        twin = replace(
            whole,
            config=twin_of(whole.config),
            knobs=twin_of(whole.config).knobs,
            reports=tuple(report for report in reports if report.twin),
            series={
                name.removeprefix(TWIN): view
                for name, view in series.items()
                if name.startswith(TWIN)
            },
        )
    snapshot = replace(
        whole,
        reports=tuple(report for report in reports if not report.twin)[-MAX_REPORTS:],
        hindsight=hindsight,
        series={name: view for name, view in series.items() if not name.startswith(TWIN)},
        twin=twin,
    )
    return with_details(snapshot, details)


def outline(run: StoredRun, marks: tuple[Mark, ...]) -> Snapshot:
    """Return a stored run's last state without its measurements."""
    return Snapshot(
        phase=Phase(run.state.value),
        message=run.message,
        run=run.id,
        config=run.config,
        facts=run.facts,
        knobs=run.knobs,
        update=run.updates,
        epoch=run.epoch,
        epochs=0 if run.watched else run.config.epochs,
        updates_per_epoch=_updates_per_epoch(run),
        images=run.images,
        seconds=run.seconds,
        marks=marks,
        watched=run.watched,
    )


def _updates_per_epoch(run: StoredRun) -> int:
    """Return how many updates an epoch has; 0 where that is not known, as of a training that is not ours."""
    batch = run.watched.batch_size if run.watched else run.knobs.batch_size
    known = batch and not (run.watched and run.facts.train <= 1)
    return -(-run.facts.train // batch) if known else 0


def repeating(store: Store, run: StoredRun) -> str | None:
    """Return the command line that repeats a stored run, live changes included; or watches it anew.

    A branch is repeated from the knobs with which the run it comes from began; its own marks tell
    what was changed since. None if that run is no longer in the store. Raises StoreError.
    """
    if run.watched:
        return watched_words.repeating(run.watched)
    origin, met = run, {run.id}
    while origin.parent:
        found = None if origin.parent in met else store.sound(origin.parent)
        if found is None:
            return None
        origin = found
        met.add(origin.id)
    began = replace(run, config=replace(run.config, knobs=origin.config.knobs))
    return command_line(outline(began, store.marks(run.id)))


def hindsight_of(points: Mapping[str, Points]) -> Hindsight | None:
    """Return the map, of the rows that have a value wherever the run's own has one."""
    every = {
        name.removeprefix(HINDSIGHT): series
        for name, series in points.items()
        if name.startswith(HINDSIGHT)
    }
    if not every.keys() >= set(_BESIDE):
        return None
    updates = every["own"].updates
    rows = {
        name: series.values
        for name, series in every.items()
        if np.array_equal(series.updates, updates) and (name in _BESIDE or _is_estimator(name))
    }
    if not rows.keys() > set(_BESIDE):
        return None
    own, fresh, momentum = (rows.pop(name) for name in _BESIDE)
    return Hindsight(
        names=tuple(rows),
        images=0,  # see `details.Look`
        updates=updates.astype(np.float64),
        accuracy=np.array(list(rows.values())),
        own=own,
        fresh=fresh,
        momentum=momentum,
    )


def _is_estimator(name: str) -> bool:
    """Tell whether a row of the map may be called so: a momentum as a number, or a word."""
    return name.replace("-", "_").isidentifier() or _is_number(name)


def _is_number(name: str) -> bool:
    try:
        return math.isfinite(float(name))
    except ValueError:
        return False
