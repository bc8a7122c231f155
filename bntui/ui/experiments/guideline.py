"""The lines under the status: which experiment is under way, what to watch, and how to leave it."""

import textwrap

from bntui.core.cells import padded, shorten
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.experiments.progress import Performance

LEAVE = "a turned knob leaves it"
NEXT = "g goes on"
MORE = " … (g)"


class GuideLine(Canvas):
    """Two lines, there only while an experiment is."""

    DEFAULT_CSS = """
    GuideLine { height: 2; display: none; background: $boost; }
    GuideLine.-shown { display: block; }
    """

    _performance: Performance | None = None

    def show(self, performance: Performance | None) -> None:
        """Show where the experiment stands; nothing once it is left."""
        self._performance = performance
        self.set_class(performance is not None and not performance.left, "-shown")
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the lines; what to watch is cut from its end."""
        performance = self._performance
        if performance is None:
            return []
        experiment = performance.experiment
        name = f" experiment {experiment.number}" if experiment.number else " experiment"
        if performance.over:
            said, right = f" · {experiment.title}: all runs are over", NEXT
        else:
            count = f" · run {performance.place + 1} of {len(experiment.arms)}: "
            said, right = count + performance.arm.label, LEAVE
        room = width - len(name) - len(right) - 2
        said = shorten(said, max(1, room))
        watch = textwrap.shorten(
            f"Watch {experiment.watch}", max(len(MORE), width - 2), placeholder=MORE
        )
        return [
            [(name, "strong"), (padded(said, room + 1), ""), (right, "faint")],
            [(f" {watch}", "faint")],
        ]
