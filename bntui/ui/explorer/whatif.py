"""What if momentum had been another: validation of the weights at hand under every estimator."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from bntui.core.measured import Hindsight
from bntui.core.snapshot import Snapshot
from bntui.ui import key_table
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.explorer.available_keys import ENDED, why_not
from bntui.ui.explorer.looks import Looks, beside, looks_of, why_no_hindsight
from bntui.ui.explorer.whatif_pictures import WhatIfShown, row_at, what_if
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.widgets.status import StatusLine

LED = {"enter", "w"}
"""Keys of which those who follow a run can't make use."""
NOTHING = "there is no look back yet"


class WhatIfScreen(Screen[None]):
    """Asks for a measurement as it opens, and shows it once it is there."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.WHAT_IF.bindings()]

    def __init__(
        self,
        snapshot: Snapshot,
        ask: Callable[[], None],
        use: Callable[[str, Callable[[str], None]], None],
    ) -> None:
        """`ask` has the run's `what_if` measured anew; `use` takes a row over, and tells what that does."""
        super().__init__()
        self._snapshot = snapshot
        self._ask = ask
        self._use = use

    def compose(self) -> ComposeResult:
        """Lay out the picture, notices and the keys."""
        yield StatusLine()
        yield WhatIf()
        yield MessageLines()
        shown, followed = key_table.WHAT_IF.shown(), self._snapshot.followed
        yield KeyLine([one for one in shown if not (followed and one.key in LED)])

    def on_mount(self) -> None:
        """Ask, and show what there is."""
        self._measure()

    def action_measure(self) -> None:
        """Have the weights of now measured; say why not where that can't be."""
        if reason := why_not("measure", self._snapshot):
            self.notify(reason)
        self._measure()

    def _measure(self) -> None:
        if not self._snapshot.followed:
            self.query_one(WhatIf).wait_for_other_than(self._snapshot.what_if)
        if not self._snapshot.followed and not why_no_hindsight(self._snapshot.config):
            self._ask()
        self.show(self._snapshot)

    def action_move(self, by: int) -> None:
        """Choose a higher momentum (−1) or a lower one (1)."""
        self.query_one(WhatIf).move(by)

    def action_apply(self) -> None:
        """Have the run use the chosen momentum or estimator, and measure again."""
        row = self.query_one(WhatIf).applicable
        if reason := why_not("use_row", self._snapshot):
            self.notify(reason)
        elif row:
            self._use(row, self._used)
        else:
            self.notify("choose another momentum first, with ← →")

    def _used(self, told: str) -> None:
        self.notify(told)
        self.action_measure()

    def show(self, snapshot: Snapshot) -> None:
        """Show the measurement of `snapshot`."""
        self._snapshot = snapshot
        self.query_one(WhatIf).show(snapshot)


class WhatIf(Canvas):
    """The picture; until a measurement comes, the one before it, or the last look back."""

    BORDER_TITLE = "what if: these weights under every momentum"
    COMPONENT_CLASSES = {"canvas--cursor"}
    DEFAULT_CSS = """
    WhatIf {
        height: 1fr; background: $background;
        border: round $foreground 30%; border-title-color: $foreground 70%;
        & > .canvas--cursor { text-style: reverse; }
    }
    """

    row = ""
    """The row that was chosen; the run's own until one is."""

    _snapshot = Snapshot()
    _old: Hindsight | None = None
    _weights: Looks | None = None
    _past: Looks | None = None

    def wait_for_other_than(self, old: Hindsight | None) -> None:
        """Take any measurement but `old` for the one that was asked for."""
        self._old = old
        self.repaint()

    def show(self, snapshot: Snapshot) -> None:
        """Show `snapshot`'s measurement, and its past."""
        before, self._snapshot = self._snapshot, snapshot
        if before.what_if is not snapshot.what_if:
            at_hand = replace(snapshot, hindsight=snapshot.what_if, reports=())
            self._weights = looks_of(at_hand)
        looked = before.hindsight is snapshot.hindsight and before.reports is snapshot.reports
        if not looked:
            self._past = looks_of(snapshot)
        same = before.what_if is snapshot.what_if and before.config is snapshot.config and looked
        if not same or before.phase is not snapshot.phase or before.knobs != snapshot.knobs:
            self.repaint()

    @property
    def applicable(self) -> str:
        """The chosen row, if the run does not have its statistics already; else nothing."""
        shown = self._shown()
        return shown.chosen if shown and shown.chosen != shown.own else ""

    def move(self, by: int) -> None:
        """Choose the row so many further down, from high momenta to low ones and the others."""
        if shown := self._shown():
            self.row = beside(shown.weights.rows, shown.chosen, by)
            self.repaint()

    def on_click(self, event: events.Click) -> None:
        """Choose the momentum or the estimator under the pointer."""
        shown, offset = self._shown(), event.get_content_offset(self)
        if shown is None or offset is None:
            return
        lines = [self.render_line(y).text for y in range(self.size.height)]
        past = next((y for y, line in enumerate(lines) if "─ the past" in line), len(lines))
        listed = lines[past].index("─ the past") if past < len(lines) else self.size.width
        if offset.y < past or offset.x < listed:
            row = row_at(shown, lines[offset.y], offset.x, self.size.width)
            if row:
                self.row = row
                self.repaint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Choose a lower momentum."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Choose a higher momentum."""
        event.stop()
        self.move(-1)

    def draw(self, width: int, height: int) -> Picture:
        """Return what was measured, or why there is nothing."""
        snapshot, measured = self._snapshot, self._snapshot.what_if
        if reason := why_no_hindsight(snapshot.config):
            return [[(f" {reason}", "faint")]]
        waiting = measured is self._old and not snapshot.followed
        state = state_of(snapshot, waiting=waiting)
        shown = self._shown()
        if shown is None:
            return [[(f" {state or NOTHING}", "strong")]]
        found = shown.weights
        where = f"update {found.updates[0]:.0f}"
        if found.images[0]:
            where += f", {found.images[0]:,.0f} {found.noun}"
        what = f"this run {found.own[0]:.3f}, fresh {found.fresh[0]:.3f}"
        if found.distance:
            what = f"this run {found.told(found.own[0])} from fresh ones"
        title = f"{state} before: {where}" if state else f"{where}: {what}"
        return [[(f" {title}", "strong")], *what_if(shown, width, height - 1, self.glyphs)]

    def _shown(self) -> WhatIfShown | None:
        past = self._past
        # Until the weights at hand are measured, the last look back stands for them.
        weights = self._weights or (past.newest if past else None)
        if weights is None:
            return None
        own = past.own_row if past and past.own_row in weights.rows else weights.own_row
        chosen = self.row if self.row in weights.rows else own
        return WhatIfShown(self._snapshot, weights, past, chosen, own)


def state_of(snapshot: Snapshot, *, waiting: bool) -> str:
    """Say whether a measurement is under way; nothing once it is there."""
    if not waiting:
        return ""
    if snapshot.phase in ENDED:
        return "the run has ended: nothing more can be measured"
    return "measuring…"
