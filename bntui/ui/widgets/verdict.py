"""The verdict: what is going on, in words, with the numbers behind it."""

from textwrap import wrap

from bntui.engine.diagnosis import verdict
from bntui.engine.snapshot import Snapshot
from bntui.ui.canvas import Canvas, Picture


class VerdictPanel(Canvas):
    """A headline, the evidence, and the cure with its key."""

    BORDER_TITLE = "verdict"

    _snapshot = Snapshot()

    def show(self, snapshot: Snapshot) -> None:
        """Judge `snapshot`."""
        self._snapshot = snapshot
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the verdict, wrapped; what finds no room is cut from the end."""
        judged = verdict(self._snapshot)
        role = {True: "good", False: "bad", None: "plain"}[judged.sound]
        mark = {True: "√", False: "×", None: "○"}[judged.sound]
        lines = [
            [(line, f"{role} strong")] for line in _wrapped(f"{mark} {judged.headline}", width)
        ]
        for sentence in judged.evidence:
            lines += [[(line, "")] for line in _wrapped(sentence, width)]
        lines += [[(line, "fresh")] for line in _wrapped(judged.cure, width)]
        return lines


def _wrapped(text: str, width: int) -> list[str]:
    return [f" {line}" for line in wrap(text, max(8, width - 2))]
