"""The curves of the run that is chosen in the list, below what is known of it."""

from textual import events

from bntui.core.scales import UNIT
from bntui.core.snapshot import Snapshot
from bntui.ui.drawing.curves import curves
from bntui.ui.drawing.view import View, planned_end
from bntui.ui.widgets.chart import Chart


class Preview(Chart, can_focus=False):
    """Accuracy over a whole run, loss of one without a score. The crosshair and zoom are the explorer's."""

    DEFAULT_CSS = "Preview { height: 1fr; display: none; }"

    def __init__(self) -> None:
        super().__init__("accuracy", y=UNIT, id="preview")

    run = ""
    """The id of the run that is shown."""

    def show_run(self, run: str, snapshot: Snapshot) -> None:
        """Show the accuracy of a kept run; that of an empty snapshot where it can't be read."""
        self.run, view = run, View()
        watched = snapshot.watched
        blind = watched is not None and not watched.score
        lines = curves("loss" if blind else "acc", snapshot, view)
        shaded = snapshot.config.has_statistics and not blind
        self.show(
            lines,
            snapshot.marks,
            view=view,
            clock=snapshot.series.get(view.axis),
            planned=planned_end(snapshot, view.axis),
            gap=(lines[-2], lines[-1]) if shaded else None,
            fixed=watched is None or watched.score == "accuracy",
        )

    async def _look(self, change: str, event: events.MouseEvent) -> None:
        """Leave the view as it is."""
