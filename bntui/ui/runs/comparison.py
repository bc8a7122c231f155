"""Two runs beside each other: differences, and their curves over a common axis."""

from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen

from bntui.core.cells import padded, shorten, wrapped
from bntui.core.scales import UNIT
from bntui.core.snapshot import Snapshot
from bntui.core.text import literal
from bntui.ui import run_keys
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.drawing.curves import compared
from bntui.ui.drawing.view import View, reached
from bntui.ui.remembered import memory_of
from bntui.ui.runs.differences import differing
from bntui.ui.widgets.chart import Chart
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.widgets.status import StatusLine
from bntui.ui.widgets.view_changes import VIEW_CHANGES, why_same

TWO_CHARTS = 32
"""Rows from which on both charts are shown at once."""
SETTING_WIDTH = 15
"""Cells of a setting's name, and the blank behind it."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs, and what it is called."""

    name: str
    snapshot: Snapshot


class ComparisonScreen(Screen[None]):
    """Shows two runs as they are when it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [*run_keys.COMPARISON.bindings()]
    DEFAULT_CSS = """
    ComparisonScreen {
        #differences { height: auto; max-height: 40%; scrollbar-size-vertical: 1; }
        Chart { height: 1fr; }
        &.-tabs Chart { display: none; }
        &.-tabs Chart.shown { display: block; }
    }
    """

    def __init__(self, one: Side, other: Side) -> None:
        super().__init__()
        self._sides = (one, other)
        self.view = View()

    def compose(self) -> ComposeResult:
        """Lay out the differences and the charts."""
        self.view = memory_of(self.app).choices.view
        yield StatusLine()
        with VerticalScroll(id="differences", classes="panel") as box:
            box.border_title = "differences"
            yield Differences(*self._sides)
        yield Chart("accuracy", y=UNIT, id="panel-1", classes="panel shown")
        yield Chart("loss", log=True, id="panel-2", classes="panel")
        yield MessageLines()
        yield KeyLine(run_keys.COMPARISON.shown())

    def on_mount(self) -> None:
        """Show both runs, whole."""
        self.query_one("#differences").focus()
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Show both charts where there is room for two."""
        tabs = event.size.height < TWO_CHARTS
        self.set_class(tabs, "-tabs")
        for chart in self.query(Chart):
            chart.border_subtitle = "1 accuracy  2 loss" if tabs else None

    def action_panel(self, number: int) -> None:
        """Show one chart, where there is room for one only."""
        for chart in self.query(Chart):
            chart.set_class(chart.id == f"panel-{number}", "shown")

    def action_look(self, change: str, amount: float) -> None:
        """Change the view of both charts."""
        before, self.view = self.view, VIEW_CHANGES[change](self.view, self._longer, amount)
        self._draw()
        if self.view == before:
            self.app.notify(why_same(change, amount, self._longer))
        memory_of(self.app).keep_view(self.view)

    @property
    def _longer(self) -> Snapshot:
        """The run that goes on for longer: window and crosshair move over its updates."""
        return max((side.snapshot for side in self._sides), key=lambda snapshot: snapshot.update)

    def _draw(self) -> None:
        one, other = (
            (letter, side.snapshot) for letter, side in zip("AB", self._sides, strict=True)
        )
        clock = self._longer.series.get(self.view.axis)
        end = max(reached(side.snapshot, self.view.axis) for side in self._sides)
        for what, chart in zip(("acc", "loss"), self.query(Chart), strict=True):
            lines = compared(what, one, other, self.view)
            chart.show(lines, view=self.view, clock=clock, planned=end)


class Differences(Canvas):
    """A row a setting, the two values side by side."""

    DEFAULT_CSS = "Differences { height: auto; }"

    def __init__(self, one: Side, other: Side) -> None:
        super().__init__()
        self._names = f"A: {one.name}", f"B, faint: {other.name}"
        self._rows = differing(one.snapshot, other.snapshot)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Return the rows that the table takes."""
        return len(self.draw(width, 0))

    def draw(self, width: int, height: int) -> Picture:
        """Return the header and the settings; long values are wrapped."""
        each = max(8, (width - SETTING_WIDTH - 2) // 2)
        one, other = (shorten(literal(name), each - 1) for name in self._names)
        picture: Picture = [
            [
                (f" {'':<{SETTING_WIDTH}}", ""),
                (padded(one, each), "strong"),
                (other, "faint strong"),
            ]
        ]
        for label, *values in self._rows:
            columns = [wrapped(literal(value), each - 1) or [""] for value in values]
            for place, (here, there) in enumerate(zip_longest(*columns, fillvalue="")):
                picture.append(
                    [
                        (f" {label if not place else '':<{SETTING_WIDTH}}", "faint"),
                        (padded(here, each), ""),
                        (there, ""),
                    ]
                )
        if not self._rows:
            picture.append([(" none: both have the same settings", "")])
        return picture
