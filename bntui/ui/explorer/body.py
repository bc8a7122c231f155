"""Everything between the headline and the messages: the knobs and all panels, and how to get from one to another."""

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.geometry import Size
from textual.widget import Widget

from bntui.core.config import RunConfig
from bntui.core.snapshot import Snapshot
from bntui.ui.explorer import arrangement
from bntui.ui.explorer.evidence_panel import EvidencePanel
from bntui.ui.explorer.facts import FactsPanel
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
    """Knobs and panels. Each panel can have the focus; of the knobs, the one that was chosen last.

    Of runs that are followed there are facts in place of the knobs.
    """

    def __init__(self, config: RunConfig, *, followed: bool = False) -> None:
        """`config` has the values that the knobs begin with; `followed` runs have none."""
        super().__init__(id="body")
        self._config = config
        self._followed = followed
        self._arranged = arrangement.classes(Size(0, 0))
        self._chosen: Knob | None = None
        self._scored = True
        """Whether the run that is shown has a score, so that accuracy is the chart to begin with."""

    def compose(self) -> ComposeResult:
        """Lay out the panels; `app.tcss` arranges them."""
        with Container(id="left"):
            with Vertical(id="knobs") as knobs:
                knobs.border_title = "this run" if self._followed else "knobs"
                if self._followed:
                    yield FactsPanel(id="facts")
                for spec in () if self._followed else KNOBS:
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
    def knob(self) -> Widget:
        """The knob that was chosen last; the facts where there are no knobs."""
        if self._followed:
            return self.query_one(FactsPanel)
        return self._chosen or self.query(Knob).first()

    def show_knobs(self, snapshot: Snapshot) -> None:
        """Show the values of a run on all knobs: those in use, and those that are wanted."""
        config, wanted = snapshot.config, snapshot.wanted or snapshot.knobs
        for knob in self.query(Knob):
            name = knob.spec.name
            applied, asked = (config, config) if knob.spec.structural else (snapshot.knobs, wanted)
            knob.show(getattr(applied, name), getattr(asked, name))

    def on_descendant_focus(self) -> None:
        """Remember which knob was chosen."""
        if isinstance(self.screen.focused, Knob):
            self._chosen = self.screen.focused

    def suit(self, arranged: dict[str, bool]) -> None:
        """Suit an arrangement: what `arrangement.classes` returns."""
        self._arranged = arranged
        for panel in self.query(".panel"):
            panel.border_subtitle = arrangement.TABS if arranged["-tabs"] else None

    def begin_with_loss(self, *, scored: bool) -> None:
        """Show loss in the place of accuracy where a run is not `scored`, and accuracy again where one is."""
        if scored is not self._scored and self.query("#panel-1.shown, #panel-2.shown"):
            self.show_panel(1 if scored else 2)
        self._scored = scored

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
        focused = self.screen.focused
        if not isinstance(focused, Knob):
            return False
        knobs = list(self.query(Knob))
        knobs[(knobs.index(focused) + by) % len(knobs)].focus()
        return True

    def show_panel(self, number: int) -> None:
        """Have a panel shown where it shares its place with others."""
        for panel in self.query(".panel"):
            panel.set_class(panel.id == f"panel-{number}", "shown")
        self.set_class(number in ON_THE_LEFT, "-left")
        if number in {1, 2}:
            self.query_one(Results).set_class(number == 2, "-loss")
