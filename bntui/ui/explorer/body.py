"""Everything between the headline and the messages: the knobs and all panels, and how to get from one to another."""

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.geometry import Size
from textual.widget import Widget

from bntui.core.config import RunConfig
from bntui.ui.explorer import arrangement
from bntui.ui.explorer.evidence_panel import EvidencePanel
from bntui.ui.explorer.predictions import Predictions
from bntui.ui.explorer.results import Results
from bntui.ui.widgets.knob import Knob
from bntui.ui.widgets.knob_spec import KNOBS

PANELS = "#knobs", "#panel-6", "#panel-5", "#panel-1", "#panel-2", "#panel-3", "#panel-4"
"""The panels in the order in which tab visits them; one at a time, they come by their numbers."""
ON_THE_LEFT = {5, 6}
VIEWED = "#panel-1.shown, #panel-2.shown, #panel-3.shown"
"""The panels that zoom, pan and crosshair act on, where one of them is in sight."""


class Body(Container):
    """Knobs and panels. Each panel can have the focus; of the knobs, the one that was chosen last."""

    def __init__(self, config: RunConfig) -> None:
        """`config` has the values that the knobs begin with."""
        super().__init__(id="body")
        self._config = config
        self._arranged = arrangement.classes(Size(0, 0))
        self._chosen: Knob | None = None

    def compose(self) -> ComposeResult:
        """Lay out the panels; `app.tcss` arranges them."""
        with Container(id="left"):
            with Vertical(id="knobs") as knobs:
                knobs.border_title = "knobs"
                for spec in KNOBS:
                    owner = self._config if spec.structural else self._config.knobs
                    yield Knob(spec, getattr(owner, spec.name))
            yield EvidencePanel(id="panel-6", classes="panel")
            yield Predictions(id="panel-5", classes="panel")
        yield Results()

    def on_mount(self) -> None:
        """Begin with accuracy, and the first knob."""
        self.suit(arrangement.classes(self.app.size))
        self.show_panel(1)
        self.knob.focus()

    @property
    def knob(self) -> Knob:
        """The knob that was chosen last."""
        return self._chosen or self.query(Knob).first()

    def on_descendant_focus(self) -> None:
        """Remember which knob was chosen."""
        if isinstance(self.screen.focused, Knob):
            self._chosen = self.screen.focused

    def suit(self, arranged: dict[str, bool]) -> None:
        """Suit an arrangement: what `arrangement.classes` returns."""
        self._arranged = arranged
        for panel in self.query(".panel"):
            panel.border_subtitle = arrangement.TABS if arranged["-tabs"] else None

    @property
    def charts_hidden(self) -> bool:
        """Whether none of what zoom, pan and crosshair act on is in sight."""
        return self._arranged["-tabs"] and not self.query(VIEWED)

    def go_to(self, number: int) -> None:
        """Go to one panel, and show it where it shares its place with others."""
        self.show_panel(number)
        self.query_one(f"#panel-{number}").focus()

    def next_panel(self, by: int) -> None:
        """Go to the next panel (1) or the one before (−1); around the ends."""
        panels = [self.query_one(panel, Widget) for panel in PANELS]
        if self._arranged["-tabs"]:
            panels.sort(key=lambda panel: (panel.id or "").removeprefix("knobs"))
        else:
            panels = [panel for panel in panels if panel.display]
        here = next((n for n, panel in enumerate(panels) if panel.has_focus_within), 0)
        chosen = panels[(here + by) % len(panels)].id or ""
        if chosen == "knobs":
            self.knob.focus()
        else:
            self.go_to(int(chosen[-1]))

    def next_knob(self, by: int) -> bool:
        """Choose the knob below (1) or above (−1), around the ends, and return True; False beside the knobs."""
        if not isinstance(self.screen.focused, Knob):
            return False
        knobs = list(self.query(Knob))
        knobs[(knobs.index(self.knob) + by) % len(knobs)].focus()
        return True

    def show_panel(self, number: int) -> None:
        """Have a panel shown where it shares its place with others."""
        for panel in self.query(".panel"):
            panel.set_class(panel.id == f"panel-{number}", "shown")
        self.set_class(number in ON_THE_LEFT, "-left")
        if number in {1, 2}:
            self.query_one(Results).set_class(number == 2, "-loss")
