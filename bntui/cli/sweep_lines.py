"""What `bntui sweep` writes without a screen: a progress bar and a table, or a JSON object a run."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from bntui.cli import output
from bntui.cli.console import OutputConsole
from bntui.cli.lines import write_json
from bntui.cli.tables import Column, table
from bntui.core.estimators import ROWS
from bntui.core.settings import SETTINGS
from bntui.core.sweep import OVER, Axis, CellState, Design, Standing, SweepView
from bntui.core.text import fixed, literal
from bntui.sweeps.forecast import share_done
from bntui.sweeps.time_left import time_left

MOST_NAMED = 3
"""Runs that have failed for one reason."""


class SweepJson:
    """One JSON object a line on standard output as each run ends, those that had ended before first."""

    def __init__(self, tried_again: Iterable[CellState] = ()) -> None:
        """Write those that had failed and are `tried_again` as they end this time."""
        self._before = {state.cell.id: _ended_as(state) for state in tried_again}
        self._written: set[str] = set()

    def progress(self, view: SweepView) -> None:
        """Write what has ended since."""
        for state in view.cells:
            if self._before.get(state.cell.id) != _ended_as(state):
                self._write(view, state)

    def end(self, view: SweepView) -> None:
        """Write what is not written yet."""
        for state in view.cells:
            self._write(view, state)

    def _write(self, view: SweepView, state: CellState) -> None:
        if state.standing in OVER and state.cell.id not in self._written:
            self._written.add(state.cell.id)
            write_json(**values_of_run(view, state))


class SweepLines:
    """A progress bar where there is a terminal, and the table at the end."""

    def __init__(self) -> None:
        self._console = OutputConsole(highlight=False, markup=False, soft_wrap=True)
        moves = output.width() is not None and self._console.is_interactive
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[said]}"),
            console=self._console,
            transient=True,
            disable=not moves or self._console.is_dumb_terminal,
        )
        self._task = self._bar.add_task("", total=None, said="")

    def progress(self, view: SweepView) -> None:
        """Move the bar."""
        self._bar.start()
        done = sum(1.0 if one.standing in OVER else share_done(one) for one in view.cells)
        self._bar.update(
            self._task,
            description=view.name,
            total=len(view.cells),
            completed=done,
            said=progress_in_words(view),
        )

    def end(self, view: SweepView) -> None:
        """Remove the bar, and print what was measured."""
        self._bar.stop()
        print_results(view, self._console)


def progress_in_words(view: SweepView) -> str:
    """Return what is said beside the bar: "3 of 12 runs finished, 2 running, about 2 min left"."""
    running, failed = view.count(Standing.RUNNING), view.count(Standing.FAILED)
    parts = [
        f"{view.count(Standing.FINISHED)} of {len(view.cells)} runs finished",
        f"{running} running",
        f"{failed} failed" if failed else "",
        time_left(view) if running else "",
    ]
    return ", ".join(filter(None, parts))


def print_results(view: SweepView, console: Console) -> None:
    """Print a line for each combination of values, and each reason why runs have failed."""
    console.print(results(view, output.width()))
    if len(view.design.seeds) > 1:
        console.print("Medians over the seeds, each of its own column.", style="dim")
    failed: dict[str, list[str]] = {}
    for state in view.cells:
        if state.standing is Standing.FAILED:
            where = ", ".join([*_words(view.design, state), f"seed {state.cell.seed}"])
            runs = failed.setdefault(state.message or "no reason is kept", [])
            runs.append(f"{state.cell.id} ({where})")
    for why, runs in failed.items():
        noun, more = "runs" if len(runs) > 1 else "run", len(runs) - MOST_NAMED
        named = ", ".join(runs[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
        console.print(f"{noun} {named} failed: {why}")
    if not view.over:
        console.print(f"`bntui sweep --resume {view.name}` goes on.")
    elif failed:
        console.print(f"`bntui sweep --resume {view.name} --retry-failed` tries them again.")


def results(view: SweepView, width: int | None = None) -> Text:
    """Return a table with a row for each combination: medians over its seeds at the last epoch."""
    rows: dict[tuple[Any, ...], list[CellState]] = {}
    for state in view.cells:
        rows.setdefault(state.cell.values, []).append(state)
    groups = list(rows.values())
    last = [[state.epochs[-1] for state in group if state.epochs] for group in groups]
    gaps = [[_gap(state) for state in group if state.epochs] for group in groups]
    axes = [
        Column(
            SETTINGS[axis.setting].flag,
            [literal(_shown(axis, values[place])) for values in rows],
            number=all(isinstance(value, int | float) for value in axis.values),
        )
        for place, axis in enumerate(view.design.axes)
    ]
    figures = [
        Column("gap", list(map(_figure, gaps)), number=True),
        Column("running", [_figure(one.own for one in ends) for ends in last], number=True),
        Column("fresh", [_figure(one.fresh for one in ends) for ends in last], number=True),
        Column("epoch", [_epochs(ends) for ends in last], number=True),
        Column("seeds", [_counted(group, {Standing.FINISHED}) for group in groups], number=True),
        Column("failed", [_count(group, Standing.FAILED) for group in groups], number=True),
    ]
    return table([*axes, *figures], width, ("failed", "epoch"))


def listing(view: SweepView) -> str:
    """Return a line for each run: its id, values, seed and how it stands."""
    lines = [
        (
            state.cell.id,
            *_words(view.design, state),
            f"seed {state.cell.seed}",
            state.standing.value,
        )
        for state in view.cells
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def axes_in_words(design: Design) -> str:
    """Return what a sweep varies: "batch-size 16, 64 × lr 0.001, 0.01 × 3 seeds"."""
    parts = [
        f"{SETTINGS[axis.setting].flag} {_listed([_shown(axis, value) for value in axis.values])}"
        for axis in design.axes
    ]
    seeds = len(design.seeds)
    return literal(" × ".join([*parts, f"{seeds} seed{'s' if seeds > 1 else ''}"]))


def standings_in_words(view: SweepView) -> str:
    """Return how a sweep's runs stand: "12 finished, 2 running"."""
    counts = ((view.count(standing), standing.value) for standing in Standing)
    return ", ".join(f"{count:,} {words}" for count, words in counts if count)


def values_of_run(view: SweepView, state: CellState) -> dict[str, Any]:
    """Return what the JSON line of a run has."""
    axes = zip(view.design.axes, state.cell.values, strict=True)
    last = state.epochs[-1] if state.epochs else None
    return {
        "event": "cell",
        "sweep": view.name,
        "run": state.cell.id,
        "settings": {SETTINGS[axis.setting].flag: value for axis, value in axes},
        "seed": state.cell.seed,
        "standing": state.standing.value,
        "message": state.message,
        "updates": state.updates,
        "seconds": round(state.seconds, 3),
        "epoch": last.epoch if last else None,
        "val_acc": last.own if last else None,
        "val_acc_fresh": last.fresh if last else None,
        "hindsight": dict(zip(ROWS, last.rows, strict=False)) if last else {},
    }


def _ended_as(state: CellState) -> tuple[object, ...]:
    """Return what tells one end of a run from another."""
    return state.standing, state.updates, state.seconds, state.message


def _words(design: Design, state: CellState) -> list[str]:
    """Return a run's place on each axis: "batch-size 16"."""
    return [
        literal(f"{SETTINGS[axis.setting].flag} {_shown(axis, value)}")
        for axis, value in zip(design.axes, state.cell.values, strict=True)
    ]


def _shown(axis: Axis, value: object) -> str:
    row = SETTINGS[axis.setting]
    return row.show(value) or str(value)


def _listed(words: Sequence[str], most: int = 8) -> str:
    """Return the words, those in the middle left out where they are many."""
    if len(words) > most:
        words = [*words[: most - 2], "…", words[-1]]
    return ", ".join(words)


def _gap(state: CellState) -> float:
    """Return fresh less running accuracy at the last epoch; NaN of a run without running statistics."""
    last = state.epochs[-1]
    return last.fresh - last.own if state.cell.config.has_statistics else math.nan


def _figure(values: Iterable[float]) -> str:
    """Return the median of what was measured."""
    measured = [value for value in values if not math.isnan(value)]
    return fixed(median(measured), 3) if measured else "–"


def _epochs(ends: Sequence[Any]) -> str:
    epochs = sorted({one.epoch for one in ends})
    if not epochs:
        return "–"
    return str(epochs[0]) if len(epochs) == 1 else f"{epochs[0]}–{epochs[-1]}"


def _counted(group: Sequence[CellState], standings: set[Standing]) -> str:
    count = sum(state.standing in standings for state in group)
    return f"{count}" if count == len(group) else f"{count} of {len(group)}"


def _count(group: Sequence[CellState], standing: Standing) -> str:
    return str(sum(state.standing is standing for state in group) or "–")
