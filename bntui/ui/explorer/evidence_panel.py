"""The panel of the evidence: what the headline rests on, and what would happen by waiting."""

from bntui.core.cells import wrapped
from bntui.core.snapshot import Snapshot
from bntui.diagnose.verdict import verdict
from bntui.ui.drawing.canvas import Picture
from bntui.ui.widgets.focus_canvas import FocusCanvas

TITLE = "evidence"
LEAST_ROWS = 4
"""Rows of the table of epochs that are worth showing, its title and header among them."""
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
        snapshot, room = self._snapshot, max(8, width - 2)
        if snapshot.watched and snapshot.watched.findings:
            from bntui.ui.explorer.watched_evidence import told  # not needed by the first picture

            parts = told(snapshot.watched)
        else:
            judged = verdict(snapshot)
            parts = [(sentence, "") for sentence in judged.evidence] + [(judged.outlook, "faint")]
        lines: Picture = [
            [(f" {line}", role)] for text, role in parts for line in wrapped(text, room)
        ]
        if len(lines) > height > 0:
            return [*lines[: height - 1], [(f" {MORE}", "faint")]]
        if len(lines) + 2 >= height or snapshot.validation is None:
            return lines
        return [*lines, *measurements(snapshot, room, height - len(lines))]


def measurements(snapshot: Snapshot, width: int, height: int) -> Picture:
    """Return the measurements that fit whole, each below a blank line, and the latest epochs."""
    # The first picture has none of them to show.
    from bntui.ui.explorer.evidence import epochs, sections
    from bntui.ui.widgets.prose import laid_out

    lines: list[str] = []
    for section in sections(snapshot, width):
        told = laid_out(section, width)
        if len(lines) + 1 + len(told) <= height:
            lines += ["", *told]
    table, left = epochs(snapshot), height - len(lines) - 1
    if table and left > LEAST_ROWS:
        lines += ["", *table[:2], *table[max(2, len(table) - left + 2) :]]
    return [[(f" {line}", "")] if line else [] for line in lines]
