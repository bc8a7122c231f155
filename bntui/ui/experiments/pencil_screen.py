"""Drawing a curve before an experiment runs, on the axes that the chart of accuracy will have."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from bntui.core.config import RunConfig
from bntui.core.plan import end_of
from bntui.core.scales import UNIT
from bntui.core.series import SeriesView
from bntui.core.snapshot import Snapshot
from bntui.experiments.experiment import Experiment
from bntui.experiments.pencil import STEPS, Pencil
from bntui.ui import course_keys
from bntui.ui.dialogs.dialog import Dialog
from bntui.ui.drawing.axes import AXIS
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.drawing.charts import chart
from bntui.ui.drawing.curves import pencil_line
from bntui.ui.drawing.legend import LEGEND
from bntui.ui.drawing.plot import Line
from bntui.ui.terminal.glyphs import fit

GRID = 8
"""Every how many dots across a line to draw by has one."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long the run to draw is, and in what that is counted."""

    end: float
    unit: str

    def at(self, share: float) -> str:
        """Say where a share of the run ends: "update 80 of 160"."""
        if self.unit == "% of run":
            return f"{self.end * share:.0f} {self.unit}"
        return f"{self.unit.removesuffix('s')} {self.end * share:,.4g} of {self.end:,g}"


def length(config: RunConfig, latest: Snapshot) -> Length:
    """Return how long a run will be: in updates, where data like its own are at hand, else in epochs."""
    same = all(
        getattr(config, name) == getattr(latest.config, name)
        for name in ("dataset", "data_dir", "train_size")
    )
    facts = latest.facts if same else None
    whole = Snapshot(config=config, facts=facts, knobs=config.knobs, epochs=config.epochs)
    if end := end_of(whole):
        return Length(end.update, "updates")
    if config.batch_schedule or config.steps:  # an epoch is then no fixed share of the run
        return Length(100.0, "% of run")
    return Length(config.epochs, "epochs")


class PencilChart(Canvas):
    """The line, and the pencil on it."""

    DEFAULT_CSS = "PencilChart { height: 1fr; min-height: 4; }"

    @dataclass
    class Put(Message):
        """The mouse has put the pencil to a place, and the line from there on to a level."""

        place: int
        level: int

    def __init__(self, length: Length) -> None:
        super().__init__()
        self._length = length
        self._pencil = Pencil()

    def show(self, pencil: Pencil) -> None:
        """Show another line."""
        self._pencil = pencil
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the chart of the line, with a crosshair where the pencil is."""
        end, pencil = self._length.end, self._pencil
        picture = chart(
            [*_levels(end), pencil_line(pencil.line(end))],
            width=width,
            height=height,
            x_low=0.0,
            x_high=end,
            y=UNIT,
            cursor=pencil.share * end,
            glyphs=self.glyphs,
        )
        if picture:
            picture[-1][-1] = (f" {self._length.unit}", "axis")
        return picture

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to draw with the mouse."""
        self.capture_mouse()
        self._follow(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Draw on while the button is held."""
        if self.app.mouse_captured is self:
            self._follow(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Lift the pencil."""
        self.release_mouse()

    def _follow(self, event: events.MouseEvent) -> None:
        columns, rows = self.size.width - AXIS - LEGEND, self.size.height - 1
        if columns > 1 and rows > 1:
            place = round((event.x - AXIS) / (columns - 1) * STEPS)
            self.post_message(self.Put(place, round((1 - event.y / (rows - 1)) * STEPS)))


def _levels(end: float) -> list[Line]:
    """Return faint lines at round accuracies, to draw by."""
    x, places = np.array([0.0, end]), np.zeros(2, dtype=bool)
    return [
        Line("", "faint", SeriesView(x, y, y, y, places), ghost=True, every=GRID)
        for y in (np.full(2, level) for level in (0.2, 0.4, 0.6, 0.8))
    ]


class PencilScreen(Dialog[Pencil | None]):
    """Closes with the line, or with None for none."""

    BINDINGS: ClassVar[list[BindingType]] = [*course_keys.PENCIL.bindings()]
    DEFAULT_CSS = """
    PencilScreen {
        & > .box { width: 110; height: 100%; max-height: 26; }
        Static { height: auto; }
        #reading { text-style: bold; height: 1; }
    }
    """

    def __init__(self, experiment: Experiment, length: Length) -> None:
        super().__init__()
        self._experiment = experiment
        self._length = length
        self._pencil = Pencil()

    def compose(self) -> ComposeResult:
        """Lay out what is to be drawn, the chart, and what is under the pencil."""
        experiment, curve = self._experiment, self._experiment.question.draw
        assert curve is not None, "this experiment has nothing to draw"
        labels = {arm.name: arm.label for arm in experiment.arms}
        of = f" of “{labels[curve.arm]}”" if len(labels) > 1 else ""
        asked = f"Draw what you expect: {curve.words}{of}. ↑ and ↓ raise and lower the line from the pencil on."
        with Vertical(classes="box") as box:
            box.border_title = "a line for your prediction"
            box.border_subtitle = fit(self.app, "← → move · ↑ ↓ draw · enter takes it · esc skips")
            yield Static(fit(self.app, asked), markup=False)
            yield PencilChart(self._length)
            yield Static(id="reading", markup=False)

    def on_mount(self) -> None:
        """Read the line at its beginning."""
        self._draw(self._pencil)

    def action_move(self, by: int) -> None:
        """Move the pencil."""
        self._draw(self._pencil.moved(by))

    def action_raise(self, by: int) -> None:
        """Raise the line from the pencil on."""
        self._draw(self._pencil.raised(by))

    def action_take(self) -> None:
        """Close with the line."""
        self.dismiss(self._pencil)

    @on(PencilChart.Put)
    def _put(self, event: PencilChart.Put) -> None:
        self._draw(self._pencil.at(event.place, event.level))

    def _draw(self, pencil: Pencil) -> None:
        self._pencil = pencil
        self.query_one(PencilChart).show(pencil)
        self.query_one("#reading", Static).update(
            f"{self._length.at(pencil.share)}: {pencil.accuracy:.2f}"
        )
