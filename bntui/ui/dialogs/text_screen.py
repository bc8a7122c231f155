"""A piece of text to read."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from bntui.ui import dialog_keys
from bntui.ui.dialogs.dialog import Dialog
from bntui.ui.widgets.prose import Prose


class TextScreen(Dialog[None]):
    """Shows one text under a title."""

    BINDINGS: ClassVar[list[BindingType]] = [*dialog_keys.TEXT.bindings()]
    DEFAULT_CSS = """
    TextScreen > .box { width: 94; }
    """

    def __init__(self, title: str, text: str | Callable[[int], str]) -> None:
        """`text` may depend on the cells that a line has."""
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with VerticalScroll(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = "esc closes"
            text = self._text
            yield Prose(text if callable(text) else lambda _: text)
