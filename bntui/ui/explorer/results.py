"""What the run shows: curves, the map of every momentum, drift. One view for all of them."""

from collections.abc import Set
from dataclasses import replace
from itertools import chain

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from bntui.core.scales import UNIT
from bntui.core.series import SeriesView
from bntui.core.snapshot import Snapshot
from bntui.diagnose.noise_words import latest_noise
from bntui.ui.drawing.curves import curves, pencilled
from bntui.ui.drawing.plot import Line
from bntui.ui.drawing.view import View, planned_end
from bntui.ui.explorer.drift import DriftTable
from bntui.ui.explorer.ghosts import NamedSnapshots
from bntui.ui.explorer.hindsight import HindsightMap
from bntui.ui.explorer.scrubbing import past, past_in_words
from bntui.ui.remembered import memory_of
from bntui.ui.widgets.chart import Chart
from bntui.ui.widgets.view_changes import VIEW_CHANGES, why_same

NORMALISED = {
    "batch": " (BN per part)",
    "ghost": " (BN per ghost batch)",
    "renorm": " (BN per part)",
}
"""Whose BN statistics normalised the images of the parts of a batch that are compared, by the norm."""
ACCURACY = (
    "accuracy in training, and in validation with fresh and with running statistics",
    "accuracy: training, validation with fresh and with running statistics",
    "accuracy: training and validation",
)
LOSS = tuple(title.replace("accuracy", "loss") for title in ACCURACY)
"""What the curves are, for where a title has the room to say so."""
ANY_SCORE = "accuracy"
"""What stands for the score in titles of its chart."""
NO_SCORE = (
    "No validation data were given, so there is no accuracy: bntui.watch(model, validation=loader) in the "
    "script gives one, under running and under fresh statistics. 2 shows the loss."
)
"""What the chart of accuracy says of a watched training without a score."""


class Results(Container):
    """The panels on the right; zoom, pan and crosshair act on all of them at once."""

    def __init__(self) -> None:
        super().__init__(id="results")
        self.view = View()
        self._snapshot = Snapshot()
        self._ghosts: NamedSnapshots = ()
        self._pencil: SeriesView | None = None

    def compose(self) -> ComposeResult:
        """Lay out the panels, whose curves are drawn as they were last."""
        self.view = memory_of(self.app).choices.view
        yield Chart("accuracy", longer=ACCURACY, y=UNIT, id="panel-1", classes="panel")
        yield Chart("loss", longer=LOSS, log=True, id="panel-2", classes="panel")
        yield HindsightMap(id="panel-3", classes="panel")
        yield DriftTable(id="panel-4", classes="panel")

    def show(
        self,
        snapshot: Snapshot,
        ghosts: NamedSnapshots = (),
        pencil: SeriesView | None = None,
    ) -> None:
        """Show `snapshot`, with other runs as ghosts behind its curves.

        A `pencil`'s line, over updates, lies over those of accuracy.
        """
        self._snapshot, self._ghosts, self._pencil = snapshot, ghosts, pencil
        self.query_one(DriftTable).show(snapshot)
        self._draw()

    def reset_view(self) -> None:
        """Show the whole run again, without a crosshair, as for a new one."""
        self.view = self.view.reset()

    def look(self, change: str, amount: float) -> str:
        """Change the view: one of `VIEW_CHANGES`, by an amount that means what it does there.

        Returns why it stays as it was, if it does.
        """
        before, self.view = self.view, VIEW_CHANGES[change](self.view, self._snapshot, amount)
        self._draw()
        memory_of(self.app).keep_view(self.view)
        return why_same(change, amount, self._snapshot) if self.view == before else ""

    @on(HindsightMap.Scrubbed)
    def _scrub(self) -> None:
        self._draw()

    @on(HindsightMap.Pointed)
    def _point(self, event: HindsightMap.Pointed) -> None:
        self.view = replace(self.view, cursor=event.update)
        self._draw()

    def _draw(self) -> None:
        snapshot, view = self._snapshot, self.view.known(self._snapshot)
        clock = snapshot.series.get(view.axis)
        planned = planned_end(snapshot, view.axis, self._ghosts)
        notes = [twin_note(snapshot), noise_note(snapshot)]
        lines = [curves(what, snapshot, view, self._ghosts) for what in ("acc", "loss")]
        ends = (float(line.view.x[-1]) for line in chain(*lines) if len(line.view))
        fresh, running = lines[0][-2:]
        gap = (fresh, running) if is_known(fresh) and is_known(running) else None
        hindsight = self.query_one(HindsightMap)
        hindsight.show(snapshot, view=view, end=max(ends, default=0.0), planned=planned)
        if hindsight.looks and (row := hindsight.scrubbed):
            lines[0].append(past(hindsight.looks, row, snapshot, view))
            notes[0] = (past_in_words(hindsight.looks, row),)
        if self._pencil is not None:
            lines[0].append(pencilled(self._pencil, snapshot, view))
        figures = zip(
            ("accuracy", "loss"), lines, notes, (gap, None), self.query(Chart), strict=True
        )
        for what, each, note, between, chart in figures:
            known = [line for line in each if is_known(line)] if snapshot.watched else each
            chart.show(
                known,
                snapshot.marks,
                view=view,
                clock=clock,
                planned=planned,
                note=note,
                gap=between,
                titles=titles_of(what, snapshot, {line.label for line in known}),
                fixed=not snapshot.watched or snapshot.watched.score == ANY_SCORE,
                instead=no_score(snapshot) if what == "accuracy" and not known else "",
            )


def is_known(line: Line) -> bool:
    """Tell whether a line has a value: of a training that was given no validation data scores are NaN."""
    return bool(np.isfinite(line.view.last).any())


def titles_of(what: str, snapshot: Snapshot, shown: Set[str]) -> tuple[str, ...]:
    """Return what the lines of a watched training's chart are, the longest first; nothing for a run of ours.

    `what` is "accuracy" or "loss", `shown` the labels of the lines that there are.
    """
    if snapshot.watched is None:
        return ()
    name = (snapshot.watched.score or what) if what == "accuracy" else what
    where = [
        *(["in training"] if "train" in shown else []),
        *(["in validation with fresh and with running statistics"] if "running" in shown else []),
    ]
    if not where:
        return (name,)
    return (f"{name} {', and '.join(where)}", name)


def no_score(snapshot: Snapshot) -> str:
    """Say how a score comes, where a watched training has none; nothing of other runs."""
    return NO_SCORE if snapshot.watched and not snapshot.watched.score else ""


def twin_note(snapshot: Snapshot) -> tuple[str, ...]:
    """Name the setting in which a run differs from its twin, if it has one."""
    twin = snapshot.config.twin
    return (f"twin {twin}",) if twin else ()


def noise_note(snapshot: Snapshot) -> tuple[str, ...]:
    """Say what is known of the noise scale, and in a longer form by which statistics; or nothing."""
    noise = latest_noise(snapshot)
    if noise and snapshot.config.has_statistics:
        return noise + NORMALISED[snapshot.config.norm], noise
    return (noise,) if noise else ()
