"""What an experiment asks before it runs."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from bntui.experiments.experiment import Experiment
from bntui.ui import course_keys
from bntui.ui.dialogs.dialog import Dialog
from bntui.ui.terminal.glyphs import fit
from bntui.ui.widgets.answer import Answer


class QuestionScreen(Dialog[int | None]):
    """Closes with the number of the answer, 0 for none, or with None if nothing is to begin.

    The question and its answers stand still at the bottom; what goes before them scrolls where it
    must.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*course_keys.QUESTION.bindings()]
    DEFAULT_CSS = """
    QuestionScreen {
        Static { height: auto; }
        .heading { text-style: bold; margin-bottom: 1; }
        #asked { dock: bottom; height: auto; max-height: 90%; scrollbar-size-vertical: 1; }
        #asked > .heading { margin: 1 0 0 0; }
    }
    """

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self._experiment = experiment

    def compose(self) -> ComposeResult:
        """Lay out what is expected, the question, and its answers."""
        experiment, choices = self._experiment, self._experiment.question.choices
        post = f" · post {experiment.post} of the thread" if experiment.post else ""
        with VerticalScroll(classes="box") as box:
            box.border_title = fit(self.app, f"before it runs{post}")
            box.border_subtitle = fit(
                self.app, f"1 – {len(choices)} answers · enter: no prediction · esc leaves"
            )
            yield self._text(experiment.heading, "heading")
            yield self._text(experiment.hypothesis)
            with VerticalScroll(id="asked", can_focus=False):
                yield self._text(experiment.question.text, "heading")
                for number, choice in enumerate(choices, start=1):
                    yield Answer(str(number), choice.text, f"answer({number})")

    def action_answer(self, number: int) -> None:
        """Take an answer, if there is one of that number."""
        if number <= len(self._experiment.question.choices):
            self.dismiss(number)

    def _text(self, text: str, classes: str = "") -> Static:
        return Static(fit(self.app, text), markup=False, classes=classes)
