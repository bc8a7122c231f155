"""What all dialogs share: a box in the middle, below a header that goes on telling of the run."""

from typing import TypeVar

from textual.screen import ModalScreen

from bntui.ui.widgets.status import StatusLine

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A screen over another. Its one box has the class `box`; the line on top stays the run's."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        & > StatusLine { dock: top; }
        .box {
            width: 84; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; border-title-color: $primary;
            background: $surface; padding: 0 1;
            scrollbar-size-vertical: 1;
        }
    }
    """

    def on_mount(self) -> None:
        """Put a header over the dimmed one, if there is one: it goes on telling of the same run."""
        if any(screen.query(StatusLine) for screen in self.app.screen_stack):
            self.mount(StatusLine())
