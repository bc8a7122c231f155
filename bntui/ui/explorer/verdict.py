"""The panel of the verdict: the cause, its evidence, and what helps."""

from bntui.core.cells import wrapped
from bntui.core.snapshot import Snapshot
from bntui.diagnose.causes import GOOD, OPEN
from bntui.diagnose.verdict import verdict
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.explorer.remedies import in_keys


class VerdictPanel(Canvas):
    """The cause as a headline, the evidence, and the remedies with their keys."""

    BORDER_TITLE = "verdict"

    _snapshot = Snapshot()

    def show(self, snapshot: Snapshot) -> None:
        """Judge `snapshot`."""
        self._snapshot = snapshot
        at = snapshot.validation
        self.retitle(f"verdict at update {at.update}" if at else "verdict")
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the verdict, wrapped; what finds no room is cut from the end."""
        judged = verdict(self._snapshot)
        mark, role = ("○", "plain") if judged.cause in OPEN else ("×", "bad")
        if judged.cause in GOOD:
            mark, role = "√", "good"
        parts = [(f"{mark} {judged.cause.value}", f"{role} strong")]
        first, rest = judged.evidence[:1], judged.evidence[1:]
        parts += [(sentence, "") for sentence in first]
        parts += [(in_keys(judged.remedies), "fresh")]  # before what may find no room
        parts += [(sentence, "") for sentence in rest]
        parts += [(judged.outlook, "faint")]
        room = max(8, width - 2)
        lines = [[(f" {line}", role)] for text, role in parts for line in wrapped(text, room)]
        if len(lines) > height > 0:
            lines[height - 1] = [(" … v shows all", "faint")]
        return lines
