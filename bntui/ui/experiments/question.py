"""What an experiment asks before it runs."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from bntui.experiments.experiment import Experiment
from bntui.ui import key_table
from bntui.ui.terminal.glyphs import fit


class QuestionScreen(ModalScreen[int | None]):
    """Closes with the number of the answer, 0 for none, or with None if nothing is to begin."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.QUESTION.bindings()]
    DEFAULT_CSS = """
    QuestionScreen {
        align: center middle;
        VerticalScroll {
            width: 84; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 1 1 1 2;
            scrollbar-size-vertical: 1;
        }
        Static { height: auto; margin-bottom: 1; padding-right: 1; }
        .strong { text-style: bold; }
        Horizontal { height: auto; }
        .key { width: 6; text-style: bold; margin: 0; }
        .choice { width: 1fr; margin: 0; }
    }
    """

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self._experiment = experiment

    def compose(self) -> ComposeResult:
        """Lay out what is expected, the question, and its answers."""
        experiment, choices = self._experiment, self._experiment.question.choices
        post = f" · post {experiment.post} of the thread" if experiment.post else ""
        with VerticalScroll() as box:
            box.border_title = fit(self.app, f"before it runs{post}")
            box.border_subtitle = fit(
                self.app, f"1 – {len(choices)} answers · enter: no prediction · esc leaves"
            )
            yield self._text(experiment.heading, "strong")
            yield self._text(experiment.hypothesis)
            yield self._text(experiment.question.text, "strong")
            for number, choice in enumerate(choices, start=1):
                with Horizontal():
                    yield self._text(f"  [{number}]", "key")
                    yield self._text(choice.text, "choice")

    def action_answer(self, number: int) -> None:
        """Take an answer, if there is one of that number."""
        if number <= len(self._experiment.question.choices):
            self.dismiss(number)

    def _text(self, text: str, classes: str = "") -> Static:
        return Static(fit(self.app, text), markup=False, classes=classes)
