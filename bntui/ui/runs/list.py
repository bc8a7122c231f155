"""The list of stored runs.

Not Textual's DataTable: to fill that with 1,000 runs of 15 cells takes 0.9 s, at each letter of a
filter. This one draws the rows that are in sight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from bntui.store.rows import StoredRun
from bntui.ui import key_lines
from bntui.ui.drawing.canvas import Canvas, Picture, Row
from bntui.ui.runs.columns import fitting, measured, sign, written

SIGNS = 5
"""Cells for a run's signs, and the blanks around them."""
WHEEL = 3


class RunList(Canvas, can_focus=True):
    """One row a run, of which one is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_lines.RUN_LIST]
    COMPONENT_CLASSES = {"canvas--chosen"}
    DEFAULT_CSS = "RunList > .canvas--chosen { text-style: reverse; }"

    @dataclass
    class Chosen(Message):
        """Another run is the chosen one; None where the list is empty."""

        run: StoredRun | None

    def __init__(self, *, id: str, classes: str) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._runs: Sequence[StoredRun] = ()
        self._columns = measured(())
        self._signs: Mapping[str, str] = {}
        self._column = ""
        self._instead = ""
        self._at = 0
        self._top = 0

    @property
    def chosen(self) -> StoredRun | None:
        """The run that the keys act on."""
        return self._runs[self._at] if self._runs else None

    def show(
        self,
        runs: Sequence[StoredRun],
        *,
        signs: Mapping[str, str],
        column: str,
        instead: str,
    ) -> None:
        """Show `runs`, sorted by a column, each behind its `signs` of a few characters, by id.

        The chosen run stays so, wherever it goes; one that is gone leaves its place to the next.
        `instead` is what to say where there are no runs.
        """
        before, count = self.chosen, len(self._runs)
        self._runs, self._signs = runs, signs
        if len(runs) != count and self.styles.is_auto_height:
            self.refresh(layout=True)
        self._columns = measured(runs)
        self._column, self._instead = column, instead
        ids = [run.id for run in runs]
        place = ids.index(before.id) if before and before.id in ids else self._at
        self._go(place)

    def action_move(self, by: int) -> None:
        """Choose the run so many rows down (up, if negative)."""
        self._go(self._at + by)

    def action_page(self, by: int) -> None:
        """Choose the run so many screens down."""
        self._go(self._at + by * max(1, self.size.height - 2))

    def on_click(self, event: events.Click) -> None:
        """Choose the run under the mouse."""
        place = self._top + event.y - 2  # below the border and the header
        if event.y >= 2 and place < len(self._runs):
            self._go(place)

    def on_mouse_scroll_down(self) -> None:
        """Move down."""
        self._go(self._at + WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """Move up."""
        self._go(self._at - WHEEL)

    def _go(self, place: int) -> None:
        self._at = min(max(place, 0), max(len(self._runs) - 1, 0))
        self.repaint()
        self.post_message(self.Chosen(self.chosen))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Return the rows that the header and all runs take."""
        return max(1, len(self._runs)) + 1

    def draw(self, width: int, height: int) -> Picture:
        """Return the header and the rows in sight, or what is to say instead."""
        if not self._runs:
            return [[(f" {line}", "")] for line in wrap(self._instead, max(8, width - 2))]
        columns = fitting(width - SIGNS, self._columns)
        rows = max(1, height - 1)
        self._top = min(max(self._top, self._at - rows + 1), self._at)
        self._top = min(self._top, max(0, len(self._runs) - rows))
        header: Row = [(" " * SIGNS, "")]
        for column in columns:
            role = "strong" if column.name == self._column else "faint"
            header.append((written(column, column.title), role))
        picture: Picture = [header]
        for place, run in enumerate(self._runs[self._top : self._top + rows], self._top):
            row: Row = [(f" {self._signs.get(run.id, ''):<{SIGNS - 1}}", "strong")]
            for column in columns:
                role = sign(run)[1] if column.name == "state" else ""
                row.append((written(column, column.text(run)), role))
            if place == self._at:
                row = [(text, f"{role} chosen".strip()) for text, role in [*row, (" " * width, "")]]
            picture.append(row)
        return picture
