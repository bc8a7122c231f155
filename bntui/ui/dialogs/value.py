"""Typing a knob's value, which is judged as on the command line."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Label

from bntui.core.config import looks_like_torch, torch_momentum
from bntui.core.row import Value
from bntui.core.text import exact
from bntui.ui import dialog_keys
from bntui.ui.dialogs.dialog import Dialog
from bntui.ui.dialogs.prompt import PromptScreen
from bntui.ui.widgets.knob_spec import KnobSpec


class ValueScreen(PromptScreen):
    """Asks for one value, and hands it to `take` unless the user thinks better of it."""

    def __init__(
        self,
        spec: KnobSpec,
        value: Value,
        take: Callable[[Value], None],
        *,
        title: str = "",
        hint: str = "",
    ) -> None:
        """`title` and `hint` say what the value is for, unless it is the knob's own."""
        super().__init__(
            title or spec.label, hint or spec.hint, spec.show(value).removesuffix("/s")
        )
        self._spec = spec
        self._take = take

    def accept(self, text: str) -> None:
        """Take the value of `text`. Raises ConfigError."""
        value = self._spec.parse(text)
        if (
            self._spec.name != "momentum"
            or not isinstance(value, float)
            or not looks_like_torch(value)
        ):
            self._close_with(value)
            return
        meant = torch_momentum(value)
        question = f"{exact(value)} is torch's convention (share of the new value); did you mean {exact(meant)}?"

        def answered(yes: bool | None) -> None:
            if yes is not None:
                self._close_with(meant if yes else value)

        self.app.push_screen(
            AskScreen(question, f"yes, {exact(meant)}", f"no, {exact(value)}"), answered
        )

    def _close_with(self, value: Value) -> None:
        self.dismiss(None)
        self._take(value)


class AskScreen(Dialog[bool | None]):
    """A question answered with y or n; returns None if it is left unanswered."""

    BINDINGS: ClassVar[list[BindingType]] = [*dialog_keys.ASK.bindings()]
    DEFAULT_CSS = """
    AskScreen {
        & > .box { width: 60; border: round $warning; }
        Label { width: 100%; }
    }
    """

    def __init__(self, question: str, yes: str, no: str) -> None:
        super().__init__()
        self._question, self._yes, self._no = question, yes, no

    def compose(self) -> ComposeResult:
        """Lay out the question and its two answers."""
        with Vertical(classes="box"):
            yield Label(self._question, markup=False)
            yield Label(f"\\[y] {self._yes}   \\[n] {self._no}")
