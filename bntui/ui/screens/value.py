"""Typing a knob's value, with the engine's own judgement of it."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from bntui.engine.config import ConfigError, looks_like_torch, torch_momentum
from bntui.ui.knobs import MOMENTUM, KnobSpec, Setting


class ValueScreen(ModalScreen[None]):
    """Asks for one value, and hands it to `take` unless the user thinks better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "leave it")]
    DEFAULT_CSS = """
    ValueScreen {
        align: center middle;
        Vertical {
            width: 60; max-width: 100%; height: auto;
            border: round $primary; background: $surface; padding: 0 1;
        }
        Label { width: 100%; }
        #problem { color: $text-error; }
    }
    """

    def __init__(
        self, spec: KnobSpec, value: Setting, take: Callable[[Setting], None], *, title: str = ""
    ) -> None:
        """`title` is what the value is for, unless it is the knob's own."""
        super().__init__()
        self._spec = spec
        self._value = value
        self._take = take
        self._title = title or spec.label

    def compose(self) -> ComposeResult:
        """Lay out the field, its hint and a place for what is wrong."""
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = "enter takes it, esc leaves it"
            yield Label(self._spec.hint, markup=False)
            yield Input(self._spec.show(self._value).removesuffix("/s"), select_on_focus=True)
            yield Label("", id="problem", markup=False)

    @on(Input.Changed)
    def _forget_problem(self) -> None:
        self.query_one("#problem", Label).update("")

    @on(Input.Submitted)
    def _judge(self, event: Input.Submitted) -> None:
        try:
            value = self._spec.parse(event.value)
        except ConfigError as error:
            self.query_one("#problem", Label).update(str(error))
            return
        if self._spec is MOMENTUM and isinstance(value, float) and looks_like_torch(value):
            meant = torch_momentum(value)
            question = (
                f"{value:g} is torch's convention (share of the new value); did you mean {meant:g}?"
            )
            choices = (f"yes, {meant:g}", f"no, {value:g}")

            def answered(yes: bool | None) -> None:
                if yes is not None:
                    self._close_with(meant if yes else value)

            self.app.push_screen(AskScreen(question, *choices), answered)
            return
        self._close_with(value)

    def _close_with(self, value: Setting) -> None:
        self.dismiss()
        self._take(value)


class AskScreen(ModalScreen[bool | None]):
    """A question answered with y or n; returns None if it is left unanswered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "yes"),
        Binding("n", "dismiss(False)", "no"),
        Binding("escape", "dismiss(None)", "leave it"),
    ]
    DEFAULT_CSS = """
    AskScreen {
        align: center middle;
        Vertical {
            width: 60; max-width: 100%; height: auto;
            border: round $warning; background: $surface; padding: 0 1;
        }
        Label { width: 100%; }
    }
    """

    def __init__(self, question: str, yes: str, no: str) -> None:
        super().__init__()
        self._question, self._yes, self._no = question, yes, no

    def compose(self) -> ComposeResult:
        """Lay out the question and its two answers."""
        with Vertical():
            yield Label(self._question, markup=False)
            yield Label(f"\\[y] {self._yes}   \\[n] {self._no}")
