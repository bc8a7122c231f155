"""Asking for one line of text."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label

from bntui.core.text import ConfigError
from bntui.ui import dialog_keys
from bntui.ui.dialogs.dialog import Dialog


class PromptScreen(Dialog[str | None]):
    """Asks for one line, and returns it; None if the user thinks better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [*dialog_keys.PROMPT.bindings()]
    DEFAULT_CSS = """
    PromptScreen {
        & > .box { width: 60; }
        Label { width: 100%; }
        #problem { color: $text-error; }
    }
    """

    def __init__(self, title: str, hint: str, text: str) -> None:
        """`text` is what stands there at first."""
        super().__init__()
        self._title, self._hint, self._text = title, hint, text

    def compose(self) -> ComposeResult:
        """Lay out the field, its hint and a place for what is wrong."""
        with Vertical(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = "enter takes it, esc leaves it"
            yield Label(self._hint, markup=False)
            yield Input(self._text, select_on_focus=True)
            yield Label("", id="problem", markup=False)

    def accept(self, text: str) -> None:
        """Close with `text`. A ConfigError raised here is shown, and the question stays."""
        self.dismiss(text)

    @on(Input.Changed)
    def _forget_problem(self) -> None:
        self.query_one("#problem", Label).update("")

    @on(Input.Submitted)
    def _judge(self, event: Input.Submitted) -> None:
        try:
            self.accept(event.value)
        except ConfigError as error:
            self.query_one("#problem", Label).update(str(error))
