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
        """Put the header over the dimmed one, if there is one, which tells of the same run at once."""
        dimmed = [one for screen in self.app.screen_stack for one in screen.query(StatusLine)]
        if dimmed:
            header = StatusLine()
            header.show(dimmed[-1].snapshot)
            self.mount(header)
