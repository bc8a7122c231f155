"""The question whether an experiment is to be left, before anything is done that would leave it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Label

from bntui.experiments.experiment import Experiment
from bntui.ui import course_keys
from bntui.ui.dialogs.dialog import Dialog
from bntui.ui.widgets.answer import Answer


class LeaveScreen(Dialog[bool]):
    """Closes with whether the experiment is to be left."""

    BINDINGS: ClassVar[list[BindingType]] = [*course_keys.LEAVE.bindings()]
    DEFAULT_CSS = """
    LeaveScreen {
        & > .box { width: 60; border: round $warning; }
        Label { width: 100%; margin-bottom: 1; }
    }
    """

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self._experiment = experiment

    def compose(self) -> ComposeResult:
        """Lay out what would happen, and the two answers."""
        number = self._experiment.number
        name = f"experiment {number}" if number else "the experiment"
        with Vertical(classes="box") as box:
            box.border_title = "leave the experiment?"
            box.border_subtitle = "nothing has changed yet"
            yield Label(f"This leaves {name}: its conclusion would not be about this run.")
            yield Answer("y", "leave it", "dismiss(True)")
            yield Answer("n", "stay with it (esc, enter)", "dismiss(False)")
