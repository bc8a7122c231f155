"""The verdict: what is going on, in words, with the numbers behind it."""

from bntui.core.cells import wrapped
from bntui.core.snapshot import Snapshot
from bntui.diagnose.causes import GOOD, OPEN
from bntui.diagnose.verdict import verdict
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.explorer.remedies import in_keys


class VerdictPanel(Canvas):
    """A headline, the evidence, and the cure with its key."""

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
