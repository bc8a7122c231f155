"""The cards of the first start, over the explorer: its run, its charts and its keys go on behind them."""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType
from textual.geometry import Size

from bntui.ui import dialog_keys
from bntui.ui.drawing.canvas import Picture
from bntui.ui.explorer.arrangement import LOW
from bntui.ui.key_lines import Shown
from bntui.ui.tour.cards import CARDS, Card, laid_out
from bntui.ui.widgets.focus_canvas import FocusCanvas

WIDEST = 62
"""Columns of a card where it stands beside other things; in a narrow terminal it is as wide as that."""
BESIDE = 100
"""Columns from which on a card leaves room beside it."""
FRAME = 2
"""Rows, and columns, of the border."""
MARGIN = 1
"""Columns between the border and the text."""
BELOW, BELOW_IF_LOW = 3, 2
"""Rows of the explorer that stay free below a card: notices, hint and keys."""


class Tour(FocusCanvas):
    """One card at a time, at the lower right. It is no dialog: all keys but its own act as ever."""

    BINDINGS: ClassVar[list[BindingType]] = [*dialog_keys.TOUR.bindings()]
    DEFAULT_CSS = """
    Tour {
        layer: above; position: absolute;
        border: round $primary; border-title-color: $primary; border-subtitle-color: $foreground 70%;
        background: $surface;
    }
    """
    hint = "The run goes on behind the cards · esc: no more of them · bntui --tour shows them again"
    shown_keys = (Shown("enter", "next"), Shown("esc", "skip"))

    def __init__(self, when_over: Callable[[], object]) -> None:
        """Have `when_over` called when the last card was left, or the others were skipped."""
        super().__init__(id="tour")
        self._when_over = when_over
        self._place = 0

    def on_mount(self) -> None:
        """Begin."""
        self.begin()

    def on_show(self) -> None:
        """Take the keys again when the terminal was too small for a while; a knob has been given them."""
        self.call_after_refresh(self.focus)

    def begin(self) -> None:
        """Show the first card, and take the keys."""
        self._place = 0
        self._lay_out()
        self.focus()

    def action_turn(self, by: int) -> None:
        """Turn to another card; beyond the last one they are over."""
        place = max(0, self._place + by)
        if place < len(CARDS):
            self._place = place
            self._lay_out()
        else:
            self.close()

    def on_click(self) -> None:
        """Turn to the next card."""
        self.action_turn(1)

    def close(self) -> None:
        """Take the cards away."""
        self._when_over()  # which takes the focus: else the widget behind the cards would have it
        self.remove()

    def fit(self, screen: Size) -> None:
        """Find a place in a screen of this size."""
        width, height = size_of(CARDS[self._place], screen)
        self.styles.width, self.styles.height = width, height
        below = BELOW_IF_LOW if screen.height < LOW else BELOW
        self.styles.offset = screen.width - width, max(0, screen.height - below - height)

    def draw(self, width: int, height: int) -> Picture:
        """Return the text of the card."""
        lines = laid_out(CARDS[self._place], width - 2 * MARGIN)
        return [[(" " * MARGIN, ""), *line] for line in lines]

    def _lay_out(self) -> None:
        count, last = len(CARDS), self._place == len(CARDS) - 1
        self.border_title = f"{CARDS[self._place].title} · {self._place + 1} of {count}"
        back = "← back · " if self._place else ""
        self.border_subtitle = f"{back}enter {'closes' if last else 'next'} · esc skips"
        self.fit(self.screen.size)
        self.repaint()


def size_of(card: Card, screen: Size) -> Size:
    """Return the size of a card with its border, in a screen of this size."""
    width = WIDEST if screen.width >= BESIDE else screen.width
    return Size(width, len(laid_out(card, width - FRAME - 2 * MARGIN)) + FRAME)
