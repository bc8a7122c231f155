"""The drift table: how far each BN layer's running statistics are from fresh ones."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from bntui.core.snapshot import Phase, Snapshot
from bntui.diagnose.health import exchanged
from bntui.ui import key_lines
from bntui.ui.drawing.canvas import Picture
from bntui.ui.explorer.available_keys import OVER
from bntui.ui.explorer.drift_rows import drift_rows, in_order
from bntui.ui.key_lines import Shown
from bntui.ui.widgets.focus_canvas import FocusCanvas
from bntui.ui.widgets.wheel import WheelMoves

BESIDE = 47
"""Columns that the channels of a layer take beside the table."""
LEAST_TABLE = 103
"""Columns of a table that has them there: all of its own but the trend, and a blank."""
BELOW = 6
"""Rows below the table from which on they are drawn there."""
BESIDE_TITLE = 6
"""Cells of a border that its title leaves alone."""
TO_BEGIN = {Phase.PAUSED: "training: press space", Phase.FAILED: "a run: press r"}
"""What the first measurement waits for, where no run is under way."""


class DriftTable(WheelMoves, FocusCanvas):
    """One row a BN layer, those that harm validation first; ↑ and ↓ choose one, Enter opens it."""

    hint = "↑ ↓ choose a layer, enter opens it, tab goes on"
    shown_keys = (Shown("↑ ↓", "layer"), Shown("enter", "open"))
    BORDER_TITLE = "drift: running against fresh statistics"
    BINDINGS: ClassVar[list[BindingType]] = [*key_lines.DRIFT_TABLE]
    COMPONENT_CLASSES = {"canvas--chosen"}
    DEFAULT_CSS = "DriftTable > .canvas--chosen { text-style: reverse; }"

    @dataclass
    class Opened(Message):
        """The user wants to see one layer in detail."""

        index: int

    chosen = 0
    """The place among the network's layers of the one that Enter opens."""

    _snapshot = Snapshot()

    @property
    def chosen_layer(self) -> int:
        """The place of the layer whose numbers the help puts into formulas."""
        return self.chosen

    def show(self, snapshot: Snapshot) -> None:
        """Show the layers of `snapshot`'s last validation."""
        self._snapshot = snapshot
        self._say()
        self.repaint()

    def on_resize(self) -> None:
        """Say as much in the title as it has room for."""
        self._say()

    def action_move(self, by: int) -> None:
        """Choose the next layer up or down."""
        place = self.next_row(in_order(self._snapshot), self.chosen, by)
        if place is not None:
            self.chosen = place
            self.repaint()

    def action_open(self) -> None:
        """Open the chosen layer."""
        if self.chosen in in_order(self._snapshot):
            self.post_message(self.Opened(self.chosen))

    def on_click(self, event: events.Click) -> None:
        """Choose the layer under the pointer; open it if it is chosen already."""
        offset = event.get_content_offset(self)
        shown = self._shown(self.size.height)
        if offset is None or not 0 < offset.y <= len(shown):
            return
        if shown[offset.y - 1] == self.chosen:
            self.action_open()
        else:
            self.chosen = shown[offset.y - 1]
            self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the header and a row for each layer, or one line saying why there is none.

        Where there is room, the chosen layer's channels stand beside them or below.
        """
        snapshot = self._snapshot
        if not snapshot.config.has_statistics:
            return [[(" this network has no batch norm, so nothing can drift", "faint")]]
        if snapshot.validation is None:
            return waiting_for("the first validation", snapshot)
        if snapshot.watched and not snapshot.validation.layers:
            return [[(" there were no fresh statistics yet to compare with", "faint")]]
        shown = self._shown(height)
        marked = self.chosen if self.has_focus else None
        rows = drift_rows(snapshot, width, marked, shown)
        room = height - len(rows)
        wide = width >= LEAST_TABLE + BESIDE
        if self.chosen >= len(snapshot.validation.layers) or (room < BELOW and not wide):
            return rows
        # Not needed by the first picture.
        from bntui.ui.explorer.layer_picture import LayerShown, beside, channels

        layer = LayerShown(snapshot, snapshot.validation, self.chosen)
        if room >= BELOW:
            return [*rows, [], *channels(layer, width, room - 1, self.glyphs, named=True)]
        rows = drift_rows(snapshot, width - BESIDE, marked, shown)
        right = channels(layer, BESIDE, height, self.glyphs, named=True)
        return beside(rows, right, width - BESIDE)

    def _shown(self, height: int) -> list[int]:
        """Return the places of the layers that are in sight, the chosen one among them."""
        order, room = in_order(self._snapshot), max(1, height - 1)
        at = order.index(self.chosen) if self.chosen in order else 0
        first = max(0, min(at - room // 2, len(order) - room))
        return order[first : first + room]

    def _say(self) -> None:
        """Write the title, with what the marks were measured on where that fits."""
        exchanges = self._snapshot.exchanges
        title = self.BORDER_TITLE
        if exchanges and exchanged(self._snapshot):
            title += f" · marks: {exchanges.images:,} images, update {exchanges.update:,}"
        fits = len(title) <= self.size.width - BESIDE_TITLE
        self.retitle(title if fits else self.BORDER_TITLE)


def waiting_for(measurement: str, snapshot: Snapshot) -> Picture:
    """Return the line that a panel shows before its first measurement."""
    if snapshot.followed:
        over = snapshot.phase in OVER
        return [
            [(f" {measurement} was not kept" if over else f" waiting for {measurement}", "faint")]
        ]
    under_way = snapshot.phase in {Phase.LOADING, Phase.RUNNING}
    reason = measurement if under_way else TO_BEGIN.get(snapshot.phase, "")
    return [[(f" waiting for {reason}", "faint")]]
