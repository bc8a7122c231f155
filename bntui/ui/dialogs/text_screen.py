"""A piece of text to read."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from bntui.ui import dialog_keys
from bntui.ui.dialogs.dialog import Dialog
from bntui.ui.terminal.glyphs import fit


class TextScreen(Dialog[None]):
    """Shows one text under a title."""

    BINDINGS: ClassVar[list[BindingType]] = [*dialog_keys.TEXT.bindings()]
    DEFAULT_CSS = """
    TextScreen > .box { width: 90; }
    """

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with VerticalScroll(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = "esc closes"
            yield Static(fit(self.app, self._text), markup=False)
