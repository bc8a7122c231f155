"""Choosing among stored runs, and what two of them differ in. Pure functions."""

import math
from collections.abc import Iterable
from typing import Any

from bntui.core.config import RunConfig
from bntui.core.settings import value_of, values_of
from bntui.core.sweep import cell_id
from bntui.core.text import exact
from bntui.core.watched_words import (
    UNKNOWN,
    batch_words,
    keras_momentum,
    known,
    momentum_words,
    repeating,
)
from bntui.store.rows import StoredRun
from bntui.store.writing import ALIVE, State

SORTED_BY = (
    *("started", "id", "state", "note", "script", "dataset", "device", "seed", "norm"),
    *("depth", "width", "batch_size", "momentum", "estimator", "learning_rate"),
    *("updates", "epoch", "seconds"),
    *("loss", "acc", "val_acc", "val_acc_fresh"),
)
"""What runs can be sorted by: a field of `StoredRun`, else a setting."""
HOW = {
    State.FINISHED: "has finished",
    State.STOPPED: "was stopped",
    State.FAILED: "has failed",
    State.INTERRUPTED: "was interrupted",
}
"""What became of a run that is over."""
_ASCENDING = {
    "id",
    "state",
    "note",
    "script",
    "dataset",
    "device",
    "seed",
    "norm",
    "estimator",
    "loss",
}


def ordered(
    runs: Iterable[StoredRun], column: str = "started", *, descending: bool | None = None
) -> list[StoredRun]:
    """Return runs by one of `SORTED_BY`, the pinned ones first, what was not measured last.

    Text and the seed ascend, numbers fall, the newest and the best come first: unless told.
    """
    if descending is None:
        descending = column not in _ASCENDING
    known = [run for run in runs if not _missing(value(run, column))]
    missing = [run for run in runs if _missing(value(run, column))]
    known.sort(key=lambda run: value(run, column), reverse=descending)
    return sorted([*known, *missing], key=lambda run: not run.pinned)


def value(run: StoredRun, column: str) -> Any:
    """Return what `run` shows in one of `SORTED_BY`; None or NaN for what is not known of it.

    Momenta are Keras's, also of trainings that are watched.
    """
    if column in StoredRun.__dataclass_fields__:
        return getattr(run, column)
    if column in {"dataset", "device"}:  # as found, not as asked for
        return getattr(run.facts, column)
    if run.watched:
        return (
            keras_momentum(run.watched) if column == "momentum" else known(run.watched).get(column)
        )
    if column == "script":
        return None
    return value_of(run.config, column)


def momentum_told(run: StoredRun) -> str:
    """Return the momentum of a run as lists have it, for a training that is watched with its convention."""
    if run.watched:
        return momentum_words(run.watched)
    return exact(run.config.knobs.momentum) if run.config.has_statistics else UNKNOWN


def batch_told(run: StoredRun) -> str:
    """Return the batch size of a run as lists have it."""
    return batch_words(run.watched) if run.watched else f"{run.config.knobs.batch_size}"


def matching(runs: Iterable[StoredRun], text: str) -> list[StoredRun]:
    """Return the runs in which every word of `text` occurs, in any case.

    Searched are the id, the state, data and device, the note, and all settings as `name=value`: a
    word with a `=` must be the whole of one, so that `momentum=0.9` is not 0.99.
    """
    words = text.lower().split()
    return [run for run in runs if _has_all(run, words)]


def listed(runs: Iterable[StoredRun], text: str) -> list[StoredRun]:
    """Return which of the runs that match `text` a list shows: without text of sweeps' only those that are pinned."""
    return [run for run in runs if text or run.pinned or not is_cell(run)]


def why_not_resumed(run: StoredRun) -> str:
    """Return why a run can't be gone on with, in one sentence; nothing where it can."""
    if run.watched:
        return (
            f"run {run.id} is a training that was watched, which bntui can't resume: "
            f"`{repeating(run.watched)}` watches it anew."
        )
    repeat = f"`bntui show {run.id}` gives the command that repeats"
    if run.state in ALIVE:
        return f"run {run.id} is under way in another bntui: let that one end."
    if is_cell(run):  # elsewhere less would be measured of it, and more could be changed
        return (
            f"run {run.id} is a sweep's, which alone goes on with it: `bntui sweeps` lists sweeps, "
            f"`bntui sweep --resume NAME` goes on with one; {repeat} it as a run of its own."
        )
    if run.config.twin:
        return f"run {run.id} trained beside a twin, and two can't be resumed: {repeat} both."
    if run.checkpoint is None:
        return f"run {run.id} {HOW[run.state]} and left no checkpoint to go on from: {repeat} it."
    return ""


def interrupted(runs: Iterable[StoredRun]) -> list[StoredRun]:
    """Return the interrupted runs that can be gone on with, in their order."""
    return [run for run in runs if run.state is State.INTERRUPTED and not why_not_resumed(run)]


def is_cell(run: StoredRun) -> bool:
    """Tell whether a run is one of a sweep: its id then follows from its settings."""
    return run.watched is None and run.id == cell_id(run.config)


def differences(one: RunConfig, other: RunConfig) -> list[tuple[str, Any, Any]]:
    """Return the settings in which two runs differ: name, value here, value there."""
    here, there = values_of(one), values_of(other)
    return [(name, here[name], there[name]) for name in here if here[name] != there[name]]


def _has_all(run: StoredRun, words: Iterable[str]) -> bool:
    pairs = [
        f"{name}={'' if setting is None else setting}"
        for name, setting in (known(run.watched) if run.watched else values_of(run.config)).items()
    ]
    parts = [run.id, run.state, run.facts.dataset, run.facts.device, run.note, *pairs]
    text = " ".join(parts).lower()
    whole = set(text.split())
    return all(word in (whole if "=" in word else text) for word in words)


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
