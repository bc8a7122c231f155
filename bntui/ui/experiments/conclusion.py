"""What came out of an experiment: prediction against outcome, every claim, the thread's numbers."""

from enum import Enum, auto
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from bntui.experiments.experiment import Experiment
from bntui.experiments.outcome import table
from bntui.ui import key_table
from bntui.ui.experiments.progress import ExperimentProgress
from bntui.ui.terminal.glyphs import fit

JUDGED = {
    True: ("√ holds", "good"),
    False: ("× does not", "bad"),
    None: ("· not measured", "faint"),
}
WIDEST_DIALOG = 92
FRAME = 6
"""Cells that a table can't have: the border's, the padding's and the scrollbar's."""


class AfterConclusion(Enum):
    """What the reader wants next."""

    FOLLOWING = auto()
    LIST = auto()


class ConclusionScreen(ModalScreen[AfterConclusion | None]):
    """Closes with what comes next, None to stay with the curves."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.CONCLUSION.bindings()]
    DEFAULT_CSS = """
    ConclusionScreen {
        align: center middle;
        VerticalScroll {
            width: 92; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 0 1;
            scrollbar-size-vertical: 1;
        }
        Static { height: auto; margin-bottom: 1; padding-right: 1; }
        Horizontal { height: auto; }
        .mark { width: 15; }
        .claim { width: 1fr; }
        .strong { text-style: bold; }
        .faint { color: $foreground 60%; }
        .good { color: $text-success; }
        .bad { color: $text-error; }
    }
    """

    def __init__(self, progress: ExperimentProgress, following: Experiment | None) -> None:
        """`following` is the next experiment of the list."""
        super().__init__()
        self.progress = progress
        self._following = following

    def compose(self) -> ComposeResult:
        """Lay out the answer, the claims and the thread's numbers."""
        experiment, conclusion = self.progress.experiment, self.progress.conclusion()
        with VerticalScroll() as box:
            box.border_title = "conclusion"
            first = "enter: the next · " if self._following else ""
            box.border_subtitle = fit(self.app, f"{first}g: all · esc: stay here")
            yield self._text(experiment.heading, "strong")
            yield self._text(experiment.question.text)
            mark, style = "", ""
            if conclusion.chosen is not None:
                right = conclusion.chosen == conclusion.right
                mark, style = ("√ ", "good") if right else ("× ", "bad")
            yield self._text(f"{mark}{conclusion.answer(experiment.question)}.", f"strong {style}")
            for finding in conclusion.findings:
                words, style = JUDGED[finding.holds]
                with Horizontal():
                    yield self._text(words, f"mark {style}")
                    yield self._text(finding.text, "claim")
            width = min(WIDEST_DIALOG, self.app.size.width) - FRAME
            yield self._text(table(conclusion.runs, width))
            yield self._text(self._keys(), "faint")

    def action_following(self) -> None:
        """Go on with the next experiment, or with the list after the last."""
        self.dismiss(AfterConclusion.FOLLOWING if self._following else AfterConclusion.LIST)

    def action_list(self) -> None:
        """Show all experiments."""
        self.dismiss(AfterConclusion.LIST)

    def _keys(self) -> str:
        following = f"enter  next, {self._following.heading}\n" if self._following else ""
        return (
            f"{following}g      all experiments\n"
            "esc    stay with the curves: recalibrate (c), what if (w), branch (b) …"
        )

    def _text(self, text: str, classes: str = "") -> Static:
        return Static(fit(self.app, text), markup=False, classes=classes)
