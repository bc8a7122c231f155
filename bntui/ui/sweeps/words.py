"""What the screen of a sweep says: how far it is, which diagram is shown, what is read at a tile. Pure."""

import math
from collections.abc import Mapping, Sequence

from bntui.core.cells import cell_len, shorten
from bntui.core.sweep import CellState, Standing, SweepView
from bntui.sweeps import words
from bntui.sweeps.phase import OWN, SOUND_FRESH, SOUND_GAP, Diagram, Tile, Value
from bntui.sweeps.time_left import time_left
from bntui.ui.runs.archive import ID

SIGNS = {
    Standing.WAITING: "○",
    Standing.RUNNING: "▶",
    Standing.INTERRUPTED: "‖",
    Standing.FINISHED: "■",
    Standing.FAILED: "×",
}
"""What stands for how a run stands, as on the line on top of the explorer."""
COUNTED = (Standing.RUNNING, Standing.WAITING, Standing.INTERRUPTED, Standing.FAILED)
"""What is counted beside the finished ones, in this order."""


def progress(view: SweepView, workers: str = "") -> tuple[str, ...]:
    """Return how far a sweep is, in a sentence and in ever shorter forms."""
    every = [one.standing for one in view.cells]
    number = {one: every.count(one) for one in Standing}
    total, finished = len(view.cells), number[Standing.FINISHED]
    over = finished + number[Standing.FAILED] == total
    counts = [f"{number[one]} {one}" for one in COUNTED if number[one]]
    left = time_left(view) if number[Standing.RUNNING] else ""
    runs = f"{finished} of {total} runs finished"
    if finished == total:
        runs = f"all {total} runs finished" if total > 1 else "its one run is finished"
    few = [f"{finished}/{total}", *(one for one in counts if "waiting" not in one)]
    forms = (
        [runs, *counts, left, workers],
        [runs, *counts, left],
        [*few, left],
        few,
        few[:1],
    )
    sign = SIGNS[Standing.FINISHED if over else Standing.RUNNING]
    if not over and not number[Standing.RUNNING]:
        sign = SIGNS[Standing.WAITING]
    return tuple(f"{sign} {' · '.join(filter(None, form))}" for form in forms)


def what(view: SweepView) -> str:
    """Return what a sweep is of: its name, data and width unless these are varied, the seeds."""
    base, seeds = view.design.base, view.design.seeds
    varied = {axis.setting for axis in view.design.axes}
    same = {"dataset": base.dataset, "width": f"width {base.width:g}"}
    parts = [text for setting, text in same.items() if setting not in varied]
    number = f"{len(seeds)} seeds" if len(seeds) > 1 else f"seed {seeds[0]}"
    return " · ".join([view.name, *parts, number])


def epoch_words(diagram: Diagram) -> str:
    """Return which epoch's end is shown, and whether there are others; nothing of a value of all epochs."""
    epochs, epoch = diagram.epochs, diagram.choice.epoch
    if not epochs:
        return "no epoch has ended yet"
    if diagram.choice.value is Value.UNTIL_SOUND:
        return ""
    if not epoch:
        return f"{'◂ ' * (len(epochs) > 1)}epoch {epochs[-1]}, the newest"
    return f"{'◂ ' * (epoch > epochs[0])}epoch {epoch} of {epochs[-1]} ▸"


def meaning(value: Value) -> str:
    """Return what a value of the tiles means."""
    return {
        Value.GAP: f"gap: fresh less running accuracy · up to {SOUND_GAP:g} validation is sound",
        Value.RUNNING: "running: validation accuracy with running statistics, as usual",
        Value.FRESH: "fresh: validation accuracy with statistics measured anew",
        Value.UNTIL_SOUND: f"updates from which on validation stays sound · gap up to {SOUND_GAP:g}, fresh at least {SOUND_FRESH:g}",
    }[value]


def settings_at(diagram: Diagram, cursor: tuple[int, int]) -> list[str]:
    """Return at which settings a tile is: those of the axes, and the others."""
    drawn = [
        (one.label, one.values[at])
        for one, at in zip((diagram.x, diagram.y), cursor, strict=True)
        if one.label
    ]
    return [_setting(label.partition(" (")[0], value) for label, value in (*drawn, *diagram.held)]


def _setting(label: str, value: str) -> str:
    return f"{value} {label}" if value == OWN else f"{label} {value}"


def when(diagram: Diagram, tile: Tile) -> list[str]:
    """Return when a tile was measured."""
    if not tile.updates:
        return []
    if diagram.choice.value is Value.UNTIL_SOUND:
        return [f"measured up to update {tile.updates:,}"]
    return [f"after epoch {diagram.epoch}, update {tile.updates:,}"]


def reading(diagram: Diagram, tile: Tile, others: Mapping[Value, float]) -> list[str]:
    """Return what was measured at a tile: its value over the seeds, others' medians, what is to be known of it.

    Medians are each of their own values: that of gaps is not the difference of the two others.
    """
    said, *more = words.reading(diagram, tile)
    median = "median " if tile.measured > 1 else ""
    return [
        said,
        *(f"{median}{one} {words.measured(one, at)}" for one, at in others.items()),
        *more,
    ]


def standings(runs: Sequence[CellState], digits: int) -> list[str]:
    """Return the runs behind a tile: how each stands, its seed, and how its id begins."""
    return [f"{SIGNS[one.standing]} {one.cell.id[:digits]} (seed {one.cell.seed})" for one in runs]


def run_line(run: CellState, epoch: int, momentum: int) -> str:
    """Return how a run stands, and its accuracies at an epoch's end.

    The running one is that of an estimator, by its place among `ROWS`; of the run's own statistics if it is −1.
    """
    line = f"{SIGNS[run.standing]} {run.cell.id[:ID]}  seed {run.cell.seed:<3} {run.standing:<11}"
    if run.message:
        return f"{line} {run.message}"
    one = next((one for one in run.epochs if one.epoch == epoch), None)
    if one is None:
        return line.rstrip()
    running = one.own if momentum < 0 else one.rows[momentum] if one.rows else math.nan
    figures = f"running {_accuracy(running)}, fresh {_accuracy(one.fresh)}"
    return f"{line} epoch {epoch}: {figures}"


def _accuracy(value: float) -> str:
    return words.measured(Value.RUNNING, value)


def flowed(parts: Sequence[str], width: int) -> list[str]:
    """Return parts with dots between them, in lines of at most so many cells, broken between parts alone."""
    lines: list[str] = []
    for part in parts:
        if lines and cell_len(f"{lines[-1]} · {part}") <= width:
            lines[-1] += f" · {part}"
        else:
            lines.append(shorten(part, width))
    return lines
