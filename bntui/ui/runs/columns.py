"""What a list of stored runs shows of each, and how much of that fits. Pure functions."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bntui.core.cells import cell_len, cut, padded, shorten
from bntui.core.config import RunConfig
from bntui.core.estimators import short
from bntui.core.text import exact
from bntui.core.watched import Watched
from bntui.core.watched_words import (
    UNKNOWN,
    described,
    rate_words,
    title,
)
from bntui.store.listing import batch_told, differences, momentum_told, why_not_resumed
from bntui.store.rows import StoredRun
from bntui.store.writing import State
from bntui.ui.runs.archive import ID

STATES = {
    State.RUNNING: ("▶", "good"),
    State.PAUSED: ("‖", "good"),
    State.FINISHED: ("√", "plain"),
    State.STOPPED: ("■", "plain"),
    State.FAILED: ("×", "bad"),
    State.INTERRUPTED: ("!", "bad strong"),
}
"""A sign for each state, and the role that both are drawn in; see `sign`."""
NOTE_WIDTH = 8
"""Cells below which a note is not worth showing."""
DATASET_WIDTH, FIGURE_WIDTH = 13, 30
"""Cells to which the name of a data set, and any figure, make their columns wider."""


@dataclass(frozen=True, slots=True)
class RunColumn:
    """One column; `name` is what `store.listing` sorts by."""

    name: str
    title: str
    width: int
    text: Callable[[StoredRun], str]
    number: bool = False


def _estimator(run: StoredRun) -> str:
    known = run.config.has_statistics and not run.watched
    return short(run.config.knobs.estimator) if known else UNKNOWN


def _rate(run: StoredRun) -> str:
    return rate_words(run.watched) if run.watched else f"{run.config.knobs.learning_rate:g}"


def sign(run: StoredRun) -> tuple[str, str]:
    """Return the sign of a run's state and its role: an interrupted run stands out if it can go on."""
    over = run.state is State.INTERRUPTED and why_not_resumed(run)
    return STATES[State.STOPPED if over else run.state]


def figure(value: float) -> str:
    """Write an accuracy, a dash for none."""
    return "–" if math.isnan(value) else f"{value:.4f}"


def when(moment: datetime, now: datetime) -> str:
    """Write a moment in five characters: today's time, this year's day, or the year."""
    moment, now = moment.astimezone(), now.astimezone()
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    return f"{moment:%m-%d}" if moment.year == now.year else f"{moment:%Y}"


RUN_COLUMNS = (
    RunColumn("id", "run", ID, lambda run: run.id[:ID]),
    RunColumn(
        "started", "when", 5, lambda run: when(run.started, datetime.now(run.started.tzinfo))
    ),
    RunColumn("state", "state", 13, lambda run: f"{sign(run)[0]} {run.state}"),
    RunColumn("script", "script", 20, lambda run: title(run.watched) if run.watched else UNKNOWN),
    RunColumn("dataset", "data", 8, lambda run: run.facts.dataset or UNKNOWN),
    RunColumn("norm", "norm", 6, lambda run: UNKNOWN if run.watched else run.config.norm),
    RunColumn("batch_size", "batch", 5, batch_told, number=True),
    RunColumn("momentum", "m", 5, momentum_told, number=True),
    RunColumn("estimator", "estim.", 8, _estimator),
    RunColumn("learning_rate", "rate", 6, _rate, number=True),
    RunColumn(
        "width",
        "width",
        6,
        lambda run: UNKNOWN if run.watched else f"{run.config.width:.4g}",
        number=True,
    ),
    RunColumn("updates", "updates", 7, lambda run: f"{run.updates}", number=True),
    RunColumn("val_acc", "val_acc", 7, lambda run: figure(run.val_acc), number=True),
    RunColumn("val_acc_fresh", "fresh", 6, lambda run: figure(run.val_acc_fresh), number=True),
    RunColumn("note", "note", NOTE_WIDTH, lambda run: run.note),
)
"""All columns, in their order; a blank follows each."""
OURS = tuple(column for column in RUN_COLUMNS if column.name != "script")
"""Those of runs of ours alone."""
_FIRST = (
    *(
        "id",
        "state",
        "script",
        "val_acc",
        "val_acc_fresh",
        "batch_size",
        "momentum",
        "norm",
        "started",
    ),
    *("updates", "dataset", "note", "learning_rate", "estimator", "width"),
)
"""What matters most comes first, for where there is no room for all."""


def measured(runs: Sequence[StoredRun]) -> list[RunColumn]:
    """Return all columns, wide enough for all of these runs: no figure is cut, nor a usual name.

    The scripts' is left out where no training of somebody else's is among them.
    """
    columns = RUN_COLUMNS if any(run.watched for run in runs) else OURS
    return [_grown(column, runs) for column in columns]


def _grown(column: RunColumn, runs: Sequence[StoredRun]) -> RunColumn:
    most = FIGURE_WIDTH if column.number else DATASET_WIDTH if column.name == "dataset" else 0
    widest = max((cell_len(column.text(run)) for run in runs), default=0) if most else 0
    return replace(column, width=max(column.width, min(widest, most)))


def fitting(width: int, columns: Sequence[RunColumn] = OURS) -> list[RunColumn]:
    """Return the columns that fit, in their order; the note is as wide as there is room."""
    by_name = {column.name: column for column in columns}
    left, chosen = width, set[str]()
    for name in _FIRST:
        if name in by_name and by_name[name].width + 1 <= left:
            left -= by_name[name].width + 1
            chosen.add(name)
    shown = [column for column in columns if column.name in chosen]
    if shown and shown[-1].name == "note":
        shown[-1] = replace(shown[-1], width=NOTE_WIDTH + left)
    return shown


def written(column: RunColumn, text: str) -> str:
    """Return `text` in the cells of the column, and the blank behind it."""
    text = whole_words(text, column.width) if column.name == "note" else text
    return padded(shorten(text, column.width), column.width, right=column.number) + " "


def whole_words(text: str, cells: int) -> str:
    """Return as many words of a text as so many cells have room for, if they have room for one."""
    if cell_len(text) <= cells:
        return text
    *words, _ = cut(text, cells - 1).rpartition(" ")
    return f"{words[0].rstrip()} …" if words[0].strip() else text


def about(run: StoredRun) -> list[tuple[str, str]]:
    """Return all about one run as lines, each with its role: what it is, its settings, remarks."""
    lines = _about_watched(run, run.watched) if run.watched else _about_ours(run)
    if run.unknown:
        lines.append((f"this version of bntui does not know its {', '.join(run.unknown)}", "faint"))
    if run.message:
        lines.append((run.message, "bad" if run.state is State.FAILED else "faint"))
    if run.state is State.INTERRUPTED:
        can = f"R resumes it from update {run.checkpoint}"
        lines.append((why_not_resumed(run) or can, "faint"))
    if run.note:
        lines.append((run.note, ""))
    return lines


def _about_watched(run: StoredRun, watched: Watched) -> list[tuple[str, str]]:
    """Return what is known of a training that is not ours, and what was found in it."""
    began = f"{run.started.astimezone():%Y-%m-%d %H:%M}"
    known = [f"{name} {value}" for name, value in described(watched)[2:] if value != UNKNOWN]
    return [
        (
            f"{run.id} · {run.state} · {began} · {run.updates:,} updates in {run.seconds:,.0f} s · "
            f"{title(watched)} · {run.facts.device}",
            "strong",
        ),
        (" · ".join(known), ""),
        *((f"{found.severity}: {found.title}", "") for found in watched.findings),
    ]


def _about_ours(run: StoredRun) -> list[tuple[str, str]]:
    facts, config = run.facts, run.config
    set_ = [f"{name}={_value(there)}" for name, _, there in differences(RunConfig(), config)]
    turned = [
        f"{name}={_value(there)}"
        for name, _, there in differences(config, replace(config, knobs=run.knobs))
    ]
    began = f"{run.started.astimezone():%Y-%m-%d %H:%M}"
    images = f"{facts.train:,}+{facts.validation:,}" if facts.loaded else "never loaded"
    branch = f" · branched off {run.parent[:ID]} after {run.branched} updates" if run.parent else ""
    lines = [
        (
            f"{run.id} · {run.state} · {began} · {run.updates:,} updates in {run.seconds:,.0f} s · "
            f"{facts.dataset} {images} · {facts.device}{branch}",
            "strong",
        ),
        (" ".join(set_) or "all settings are at their defaults", ""),
    ]
    if turned:
        lines.append((f"changed while it ran, in the end: {' '.join(turned)}", ""))
    return lines


def _value(value: object) -> str:
    if isinstance(value, float):
        return exact(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"{len(value)} changes"
    return str(value)
