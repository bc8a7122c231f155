"""The three lines across the top: what is going on, why, and what to do about it."""

from bntui.core.snapshot import Snapshot
from bntui.diagnose.headline import Headline, Tone, fitting, headline
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.explorer.remedies import third_line

MARKS = {Tone.GOOD: "√", Tone.BAD: "×", Tone.OPEN: "○"}
ROLES = {Tone.GOOD: "good", Tone.BAD: "bad", Tone.OPEN: "plain"}
MARGIN = 3
"""Cells of the mark, and of what stands below it."""


class HeadlinePanel(Canvas):
    """The verdict as a headline. Its lines keep their places; each takes the longest form that fits."""

    DEFAULT_CSS = "HeadlinePanel { height: 3; }"

    _snapshot = Snapshot()
    _said: Headline = headline(_snapshot)

    def show(self, snapshot: Snapshot) -> None:
        """Judge `snapshot`."""
        self._snapshot, self._said = snapshot, headline(snapshot)
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the three lines."""
        said, room, below = self._said, width - MARGIN, " " * MARGIN
        role = f"{ROLES[said.tone]} strong"
        return [
            [(f" {MARKS[said.tone]} ", role), (fitting(said.what, room), role)],
            [(below, ""), (fitting(said.why, room), "")],
            [(below, ""), (fitting(third_line(self._snapshot, said), room), "fresh")],
        ]
