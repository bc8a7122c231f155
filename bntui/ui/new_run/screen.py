"""The structure of a new run: every setting that is not a knob of the explorer."""

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.widgets import Label

from bntui.core.config import RunConfig
from bntui.core.row import Value
from bntui.core.settings import with_values
from bntui.core.snapshot import Snapshot
from bntui.ui import key_lines, key_table
from bntui.ui.drawing.canvas import Picture
from bntui.ui.new_run.meanings import meaning
from bntui.ui.new_run.specs import GROUPS, norm_layers
from bntui.ui.widgets.focus_canvas import FocusCanvas
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.knob import Knob
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.widgets.paragraphs import Paragraphs
from bntui.ui.widgets.status import StatusLine

NARROW = 76
"""Columns below which the settings have as few as they need."""
ROOMY = (116, 34)
"""Columns and rows from which on all settings' meanings have room."""
Changes = dict[str, Value]
"""Fields of a RunConfig that are to be others, and their values."""


class StructureScreen(Screen[Changes | None]):
    """Collects changes; closes with those to begin a new run with, or with None for none."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.NEW_RUN.bindings()]
    DEFAULT_CSS = """
    StructureScreen {
        Horizontal { align-horizontal: center; height: 1fr; }
        #settings { width: 42; height: 1fr; overflow-y: auto; scrollbar-size-vertical: 1; }
        #settings Label { width: 100%; padding-left: 1; color: $foreground 60%; }
        #meaning { width: 1fr; height: 1fr; max-width: 78; }
        &.-narrow #settings { width: 33; }
        &.-roomy #settings { width: 38; height: auto; }
        &.-roomy #meaning { height: auto; max-height: 100%; }
    }
    """

    def __init__(self, config: RunConfig, snapshot: Snapshot) -> None:
        """`config` is what a new run would begin with as it is; `snapshot` is of the run at hand."""
        super().__init__()
        self._config = config
        self._snapshot = snapshot
        self._changes: Changes = {}

    def compose(self) -> ComposeResult:
        """Lay out the knobs, and beside them what they mean."""
        yield StatusLine()
        with Horizontal():
            with Vertical(id="settings", classes="panel") as settings:
                settings.border_title = "structure"
                for group, specs in GROUPS:
                    yield Label(group)
                    for spec in specs:
                        yield Knob(spec, getattr(self._config, spec.name))
                yield Begin()
            yield Paragraphs("what it means", id="meaning", classes="panel")
        yield MessageLines()
        yield KeyLine(key_table.NEW_RUN.shown())

    def on_mount(self) -> None:
        """Begin at the top."""
        self._suit_layers()
        self.query(Knob).first().focus()

    def on_resize(self, event: events.Resize) -> None:
        """Leave room for what a setting means, where there is little; where there is much, tell all."""
        width, height = event.size
        self.set_class(width < NARROW, "-narrow")
        self.set_class(width >= ROOMY[0] and height >= ROOMY[1], "-roomy")
        self._explain()

    def action_begin(self) -> None:
        """Close with the changes."""
        self.dismiss(self._changes)

    @on(Knob.Turned)
    def _turn(self, event: Knob.Turned) -> None:
        name = event.knob.spec.name
        self._changes[name] = event.value
        if event.value == event.knob.applied:
            del self._changes[name]
        self._suit_layers()
        self._explain()

    def _suit_layers(self) -> None:
        """Have the number of normalisation layers turn through as many as there are."""
        depth = with_values(self._config, self._changes).depth
        self.query_one("#norm-layers", Knob).spec = norm_layers(depth)

    @on(DescendantFocus)
    def _explain(self) -> None:
        """Say what the chosen knob's value means, and what would be different in a new run."""
        config, knob = with_values(self._config, self._changes), self.focused
        said: list[tuple[str, str]] = []
        if isinstance(knob, Knob):
            spec = knob.spec
            said = [
                (f"{spec.label}: {spec.show(knob.wanted)}", "strong"),
                (meaning(spec, config, self._snapshot), ""),
                (spec.hint, "faint"),
                ("", ""),
            ]
        self.query_one(Paragraphs).show([*said, *self._difference(), *self._others(config)])

    def _others(self, config: RunConfig) -> list[tuple[str, str]]:
        """Return what the other settings mean, where there is room for all."""
        if not self.has_class("-roomy"):
            return []
        said: list[tuple[str, str]] = []
        for _, specs in GROUPS:
            said.append(("", ""))
            for spec in specs:
                knob = self.query_one(f"#{spec.name.replace('_', '-')}", Knob)
                if knob is not self.focused:
                    value, means = spec.show(knob.wanted), meaning(spec, config, self._snapshot)
                    said.append((f"{spec.label} {value}: {means}", "faint"))
        return said

    def _difference(self) -> list[tuple[str, str]]:
        """Return what the changes are, a paragraph each."""
        if not self._changes:
            return [("Nothing is changed: r begins the same run again, esc closes.", "faint")]
        changed = [
            f"{knob.spec.label}: {knob.spec.show(knob.applied)} → {knob.spec.show(knob.wanted)}"
            for knob in self.query(Knob)
            if knob.spec.name in self._changes
        ]
        return [
            ("r starts a new run with", "running"),
            *((f"  {line}", "strong") for line in changed),
            ("The old curves stay as a ghost; esc changes nothing.", "faint"),
        ]


class Begin(FocusCanvas):
    """The last line: Enter begins the new run."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_lines.BEGIN]
    DEFAULT_CSS = "Begin { height: 1; margin-top: 1; &:focus { background: $primary 30%; } }"

    def draw(self, width: int, height: int) -> Picture:
        """Return the line."""
        return [[(" ▸ begin the new run", "strong" if self.has_focus else "plain")]]
