"""The lines that the charts show of runs: the one under way, and others as ghosts behind it."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from bntui.core.series import Series, SeriesView
from bntui.core.snapshot import Snapshot
from bntui.ui.drawing.plot import Line
from bntui.ui.drawing.view import View, along

DRAWN_SERIES = (("train", "train"), ("fresh", "fresh"), ("val", "running"))
"""The prefix of a series' name, and how it is called and drawn on the charts."""
PENCIL = "pencil"
"""What legends call the line that a reader has drawn."""
_EMPTY = Series(2).view()


def curves(
    what: str, snapshot: Snapshot, view: View, ghosts: Iterable[tuple[str, Snapshot]] = ()
) -> list[Line]:
    """Return the lines of `what` ("acc" or "loss") over the axis of `view`.

    `ghosts` are other runs, each under a name of three or four letters and drawn by its own clock. A
    run with a twin gets one more line, "apart": how far its validation and the twin's are apart,
    whichever is higher, so that it has room on the same axis. Smooth, the training line is the
    moving average, with the raw one faint and unnamed behind it.
    """
    lines = [
        _line(snapshot, view, f"{prefix}_{what}", f"{name} {label}", label, ghost=True)
        for name, snapshot in ghosts
        for prefix, label in DRAWN_SERIES[1:]
        if f"{prefix}_{what}" in snapshot.series
    ]
    if snapshot.twin and what == "acc":
        apart = magnitude(series_difference(snapshot, snapshot.twin, "val_acc"))
        lines.append(Line("apart", "bad", along(apart, snapshot.series.get(view.axis))))
    if view.smooth:
        lines.append(_line(snapshot, view, f"train_{what}", "", "train", ghost=True))
    for prefix, label in DRAWN_SERIES:
        lines.append(_line(snapshot, view, _source(view, prefix, what), label, label))
    return lines


def pencilled(drawn: SeriesView, snapshot: Snapshot, view: View) -> Line:
    """Return the line of accuracy that a reader has drawn over updates before the run began.

    Nobody knows how many seconds are still to come: over images and time, it ends where the run is.
    """
    clock = snapshot.series.get(view.axis)
    if clock is not None:
        seen = drawn.x <= snapshot.update
        values = (drawn.low[seen], drawn.high[seen], drawn.last[seen])
        drawn = SeriesView(drawn.x[seen], *values, drawn.broken[seen])
    return pencil_line(along(drawn, clock))


def pencil_line(drawn: SeriesView) -> Line:
    """Return a line of a reader's own, which differs from those that were measured by its dots."""
    return Line(PENCIL, "strong", drawn, every=2)


def compared(
    what: str, one: tuple[str, Snapshot], other: tuple[str, Snapshot], view: View
) -> list[Line]:
    """Return the lines of `what` of two runs, each under its name; the second one is faint."""
    return [
        _line(snapshot, view, _source(view, prefix, what), f"{name} {label}", label, ghost=ghost)
        for (name, snapshot), ghost in ((one, False), (other, True))
        for prefix, label in DRAWN_SERIES
    ]


def _source(view: View, prefix: str, what: str) -> str:
    """Return the name of the series that is drawn for a curve."""
    return f"{'smooth' if view.smooth and prefix == 'train' else prefix}_{what}"


def _line(
    snapshot: Snapshot, view: View, name: str, label: str, style: str, *, ghost: bool = False
) -> Line:
    series = snapshot.series
    values = along(series.get(name, _EMPTY), series.get(view.axis))
    return Line(label, f"{style} ghost" if ghost else style, values, ghost)


def series_difference(one: Snapshot, other: Snapshot, name: str) -> SeriesView:
    """Return the series `name` of one run less the other's, at the updates that both have."""
    mine, theirs = (run.series.get(name, _EMPTY) for run in (one, other))
    updates, here, there = np.intersect1d(mine.x, theirs.x, return_indices=True)
    apart = mine.last[here] - theirs.last[there]
    return SeriesView(updates, apart, apart, apart, np.isnan(apart))


def magnitude(view: SeriesView) -> SeriesView:
    """Return a series of single values without their signs."""
    size = np.abs(view.last)
    return replace(view, low=size, high=size, last=size)
