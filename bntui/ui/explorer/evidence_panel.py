"""The panel of the evidence: what the headline rests on, and what would happen by waiting."""

from bntui.core.cells import wrapped
from bntui.core.snapshot import Snapshot
from bntui.diagnose.verdict import verdict
from bntui.ui.drawing.canvas import Picture
from bntui.ui.widgets.focus_canvas import FocusCanvas

TITLE = "evidence"
MORE = "… v shows all"


class EvidencePanel(FocusCanvas):
    """The sentences behind the headline, and below them as many of the measurements as there is room for."""

    BORDER_TITLE = TITLE
    hint = "what the headline rests on; v shows every measurement"

    _snapshot = Snapshot()

    def show(self, snapshot: Snapshot) -> None:
        """Show what the verdict on `snapshot` rests on."""
        self._snapshot = snapshot
        at = snapshot.validation
        self.retitle(f"{TITLE} at update {at.update:,}" if at else TITLE)
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the sentences, wrapped, and measurements; what finds no room is behind a key."""
        judged = verdict(self._snapshot)
        room = max(8, width - 2)
        parts = [(sentence, "") for sentence in judged.evidence] + [(judged.outlook, "faint")]
        lines: Picture = [
            [(f" {line}", role)] for text, role in parts for line in wrapped(text, room)
        ]
        if len(lines) > height > 0:
            return [*lines[: height - 1], [(f" {MORE}", "faint")]]
        if len(lines) + 2 >= height:
            return lines
        from bntui.ui.explorer.evidence import (
            sections,
        )  # the first picture has nothing to show of it

        for section in sections(self._snapshot):
            fits = len(lines) + 1 + len(section) <= height
            if fits and all(len(line) <= width - 1 for line in section):
                lines += [[], *([(f" {line}", "")] for line in section)]
        return lines
