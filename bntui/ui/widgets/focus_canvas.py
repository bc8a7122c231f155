"""Canvases that take the focus, and move through rows with ↑ and ↓."""

from collections.abc import Sequence
from typing import TypeVar

from bntui.ui.drawing.canvas import Canvas

RowName = TypeVar("RowName")


class FocusCanvas(Canvas, can_focus=True):
    """A canvas whose picture shows whether it has the focus."""

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Draw what shows the focus."""
        super().watch_has_focus(_has_focus)
        self.repaint()

    def next_row(self, rows: Sequence[RowName], chosen: RowName, by: int) -> RowName | None:
        """Return the row `by` further than the chosen one, the first if that is not among `rows`.

        Beyond the ends there is none.
        """
        place = rows.index(chosen) + by if chosen in rows else 0
        return rows[place] if 0 <= place < len(rows) else None
