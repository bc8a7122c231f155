"""The lines at the bottom of the explorer: what its focused widget means, and what keys do now."""

from textual.widget import Widget

from bntui.core.config import Knobs
from bntui.core.snapshot import Snapshot
from bntui.ui.explorer.available_keys import label, leading, waits, why_not
from bntui.ui.explorer.knob_effects import knob_effect
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.knob import Knob


def hint(focused: Widget | None, knobs: Knobs, snapshot: Snapshot) -> str:
    """Return what the value of the focused widget means; `knobs` are those that are wanted."""
    if not isinstance(focused, Knob):
        said: str = getattr(focused, "hint", "")
        return said
    effect = knob_effect(focused.spec, knobs, snapshot)
    when = waits(snapshot) if focused.wanted != focused.applied else ""
    return f"{when} · {effect}" if when else effect


def show_keys(
    line: KeyLine, snapshot: Snapshot, focused: Widget | None, *, pinned: bool = False
) -> None:
    """Show on `line` what keys do now; a widget's own are its `shown_keys`. `pinned`: a run is."""
    line.show(
        said=lambda command: label(command, snapshot, pinned=pinned),
        hidden=lambda command: bool(why_not(command, snapshot)),
        first=leading(snapshot),
        here=getattr(focused, "shown_keys", ()),
        then=() if "experiments" in leading(snapshot) else ("experiments",),
    )
