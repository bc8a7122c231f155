"""A knob: one setting that ← and → turn and Enter lets type."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from bntui.core.row import Value
from bntui.ui import key_lines
from bntui.ui.drawing.canvas import Picture
from bntui.ui.key_lines import Shown
from bntui.ui.widgets.focus_canvas import FocusCanvas
from bntui.ui.widgets.knob_spec import KnobSpec

COMPACT_BELOW = 22
"""Widths below this get the short label and no second line."""
LABEL_WIDTH = 13
"""Cells of a label where there is room."""


class Knob(FocusCanvas):
    """Shows what is wanted at once, and says so until the run has applied it."""

    shown_keys = (Shown("← →", "turn"), Shown("enter", "type"))
    """What the line of keys shows while a knob is chosen."""
    BINDINGS: ClassVar[list[BindingType]] = [*key_lines.KNOB]
    DEFAULT_CSS = """
    Knob {
        height: 1;
        &.detailed { height: 2; }
        &:focus { background: $primary 30%; }
    }
    """

    @dataclass
    class Turned(Message):
        """The user wants another value."""

        knob: "Knob"
        value: Value

    @dataclass
    class Typing(Message):
        """The user wants to type a value."""

        knob: "Knob"

    def __init__(self, spec: KnobSpec, value: Value) -> None:
        super().__init__(id=spec.name.replace("_", "-"))
        self.spec = spec
        self.wanted = value
        self.applied = value
        self.set_class(spec.detail is not None, "detailed")
        self.tooltip = spec.hint
        self._arrows: tuple[int, int] | None = None
        """The columns of ◂ and ▸, where there is room for them."""
        self._newly_chosen = False
        self._only_chosen = False
        """Whether the click under way has only chosen this knob: its arrows were not there before."""

    def action_turn(self, by: int) -> None:
        """Go one step up or down; say so where there is none."""
        spec, value = self.spec, self.spec.step(self.wanted, by)
        if value == self.wanted:
            typed = "" if len(spec.ladder) == 2 else "; enter types any value"
            self.notify(f"{spec.label}: {spec.show(value)} is the last step{typed}", markup=False)
        self.turn_to(value)

    def action_type(self) -> None:
        """Ask for a typed value; a switch just switches."""
        if len(self.spec.ladder) == 2:
            first, second = self.spec.ladder
            self.turn_to(second if self.wanted == first else first)
        else:
            self.post_message(self.Typing(self))

    def on_focus(self) -> None:
        """Take note that the mouse button, should it be down, has chosen the knob."""
        self._newly_chosen = True
        self.call_later(self._was_chosen)

    def _was_chosen(self) -> None:
        self._newly_chosen = False

    def on_mouse_down(self) -> None:
        """Tell a click that chooses the knob from one on its arrows."""
        self._only_chosen = self._newly_chosen

    def on_click(self, event: events.Click) -> None:
        """Turn the knob by its arrows; between them, ask for a typed value."""
        if self._only_chosen or self._arrows is None or event.y:
            return
        left, right = self._arrows
        if left - 1 <= event.x <= left:
            self.action_turn(-1)
        elif right <= event.x <= right + 1:
            self.action_turn(1)
        elif left < event.x < right and not self.spec.structural:
            self.action_type()

    def turn_to(self, value: Value) -> None:
        """Want `value`."""
        if value != self.wanted:
            self.wanted = value
            self.repaint()
            self.post_message(self.Turned(self, value))

    def show(self, applied: Value, wanted: Value) -> None:
        """Show what the run applies, and what is wanted of it."""
        self.applied, self.wanted = applied, wanted
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the label, the value and, where there is room, the detail."""
        spec = self.spec
        value = spec.show(self.wanted)
        pending = self.wanted != self.applied
        self._arrows = None
        if width < COMPACT_BELOW:
            mark = "▸" if self.has_focus else " "
            text = value + ("…" if pending else "")
            return [[(f"{mark}{spec.short} ", "faint"), (text, "strong")]]
        note = (" new run" if spec.structural else " pending") if pending else ""
        room = width - LABEL_WIDTH - 3
        if len(value) + len(note) > room:
            value, note = _cut(value + "…" * pending, room), ""
        self._arrows = LABEL_WIDTH + 1, LABEL_WIDTH + 2 + len(value)
        left, right = ("◂", "▸") if self.has_focus else (" ", " ")
        rows: Picture = [
            [
                (f" {spec.label:<{LABEL_WIDTH}}", "plain"),
                (left, "faint"),
                (value, "strong"),
                (right, "faint"),
                (note, "bad"),
            ]
        ]
        if spec.detail:
            rows.append([(f"{'':<{LABEL_WIDTH + 2}}{spec.detail(self.wanted)}", "faint")])
        return rows


def _cut(text: str, room: int) -> str:
    """Return as much of a value as there is room for: of a path its end."""
    if len(text) <= room:
        return text
    return f"…{text[1 - room :]}" if text.startswith("/") else f"{text[: room - 1]}…"
