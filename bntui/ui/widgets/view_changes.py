"""What keys do to the view of charts, and why one of them changes nothing."""

from collections.abc import Callable
from dataclasses import replace

from bntui.core.series import SeriesView
from bntui.core.snapshot import Snapshot
from bntui.ui.drawing.marks import merged
from bntui.ui.drawing.view import View

POINTS = ("train_acc", "train_loss", "val_acc")
"""The series at whose updates the crosshair stops: the first that a run has."""


def _history(snapshot: Snapshot) -> SeriesView | None:
    return next((snapshot.series[name] for name in POINTS if name in snapshot.series), None)


def _next_axis(view: View, snapshot: Snapshot, _: float) -> View:
    """Count x in the next unit; of a watched training in the next that is known."""
    view = view.next_axis()
    while snapshot.watched and view != view.known(snapshot):
        view = view.next_axis()
    return view


def _moved(view: View, snapshot: Snapshot, by: float) -> View:
    history = _history(snapshot)
    return view if history is None else view.moved(int(by), history.x)


def _pointed(view: View, snapshot: Snapshot, update: float) -> View:
    history = _history(snapshot)
    return view if history is None else view.pointed(update, history.x)


VIEW_CHANGES: dict[str, Callable[[View, Snapshot, float], View]] = {
    "zoom": lambda view, snapshot, factor: view.zoomed(factor, snapshot.update),
    "closer": lambda view, snapshot, at: view.zoomed(2, snapshot.update, at),
    "further": lambda view, snapshot, at: view.zoomed(0.5, snapshot.update, at),
    "pan": lambda view, snapshot, share: view.panned(share, snapshot.update),
    "move": _moved,
    "point": _pointed,
    "jump": lambda view, snapshot, by: view.jumped(
        int(by), merged(snapshot.marks), snapshot.update
    ),
    "axis": _next_axis,
    "smooth": lambda view, *_: replace(view, smooth=not view.smooth),
    "log": lambda view, *_: replace(view, log_loss=not view.log_loss),
    "reset": lambda view, *_: view.reset(),
}
"""What the keys do to the view, by name: zoom by a factor, pan by a share of the window, move the crosshair
by recorded positions, point it at an update, zoom at one by 2 (closer, further), jump to a mark before or after;
the others take no amount."""


def why_same(change: str, amount: float, snapshot: Snapshot) -> str:
    """Return why a change of a view of `snapshot` left it as it was, in one sentence."""
    onward = amount > 0
    if not snapshot.series or (change != "jump" and not snapshot.update):
        return "there is nothing to look at yet"
    if change == "jump" and not snapshot.marks:
        return "this run has no marks: a turned knob or a recalibration sets one"
    near, whole = "this is as close as it zooms", "the whole run is in sight"
    return {
        "zoom": near if amount > 1 else whole,
        "closer": near,
        "further": whole,
        "point": "the crosshair is there",
        "pan": f"the run goes no further {'on' if onward else 'back'}: + zooms in",
        "move": f"the crosshair is at the {'last' if onward else 'first'} point",
        "jump": f"there is no mark {'after' if onward else 'before'} the crosshair",
        "reset": f"{whole}, without a crosshair",
    }.get(change, "nothing changes")
