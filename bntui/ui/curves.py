"""The lines that the charts show of runs: the one under way, and others as ghosts behind it."""

from collections.abc import Iterable

from bntui.engine.series import Series
from bntui.engine.snapshot import Snapshot
from bntui.ui.plot import Line
from bntui.ui.view import View, along

CURVES = (("train", "train"), ("fresh", "fresh"), ("val", "running"))
"""The prefix of a series' name, and how it is called and drawn on the charts."""
_EMPTY = Series(2).view()


def curves(
    what: str, snapshot: Snapshot, view: View, ghosts: Iterable[tuple[str, Snapshot]] = ()
) -> list[Line]:
    """Return the lines of `what` ("acc" or "loss") over the axis of `view`.

    `ghosts` are other runs, named "was" or "pin"; each is drawn by its own clock. Smooth, the
    training line is the moving average, with the raw one faint and unnamed behind it.
    """
    lines = [
        _line(snapshot, view, f"{prefix}_{what}", f"{name} {label}", label, ghost=True)
        for name, snapshot in ghosts
        for prefix, label in CURVES[1:]
        if f"{prefix}_{what}" in snapshot.series
    ]
    if view.smooth:
        lines.append(_line(snapshot, view, f"train_{what}", "", "train", ghost=True))
    for prefix, label in CURVES:
        source = "smooth" if view.smooth and prefix == "train" else prefix
        lines.append(_line(snapshot, view, f"{source}_{what}", label, label))
    return lines


def _line(
    snapshot: Snapshot, view: View, name: str, label: str, style: str, *, ghost: bool = False
) -> Line:
    series = snapshot.series
    values = along(series.get(name, _EMPTY), series.get(view.axis))
    return Line(label, f"{style} ghost" if ghost else style, values, ghost)
