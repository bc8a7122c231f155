"""The lines under the status: which experiment is under way, what to watch, and how to leave it."""

import textwrap

from bntui.core.cells import padded, shorten
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.experiments.progress import ExperimentProgress

LEAVE = "a turned knob leaves it"
NEXT = "g goes on"
MORE = " … (g)"


class ExperimentLine(Canvas):
    """Two lines, there only while an experiment is."""

    DEFAULT_CSS = """
    ExperimentLine { height: 2; display: none; background: $boost; }
    ExperimentLine.-shown { display: block; }
    """

    _progress: ExperimentProgress | None = None

    def show(self, progress: ExperimentProgress | None) -> None:
        """Show where the experiment stands; nothing once it is left."""
        self._progress = progress
        self.set_class(progress is not None and not progress.left, "-shown")
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the lines; what to watch is cut from its end."""
        progress = self._progress
        if progress is None:
            return []
        experiment = progress.experiment
        name = f" experiment {experiment.number}" if experiment.number else " experiment"
        if progress.over:
            said, right = f" · {experiment.title}: all runs are over", NEXT
        else:
            count = f" · run {progress.place + 1} of {len(experiment.arms)}: "
            said, right = count + progress.arm.label, LEAVE
        room = width - len(name) - len(right) - 2
        said = shorten(said, max(1, room))
        watch = textwrap.shorten(
            f"Watch {experiment.watch}", max(len(MORE), width - 2), placeholder=MORE
        )
        return [
            [(name, "strong"), (padded(said, room + 1), ""), (right, "faint")],
            [(f" {watch}", "faint")],
        ]
