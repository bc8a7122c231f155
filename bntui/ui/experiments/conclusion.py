"""What came out of an experiment: prediction against outcome, every claim, every run, the thread's too.

Where there is room it lies below the chart of accuracy, which stays in sight with the curves of all runs.
"""

import math
import re
from enum import Enum, auto
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import Resize
from textual.widgets import Static

from bntui.experiments.experiment import Conclusion, Experiment, Finding
from bntui.experiments.outcome import table
from bntui.ui import course_keys
from bntui.ui.dialogs.dialog import Dialog
from bntui.ui.experiments.progress import ExperimentProgress
from bntui.ui.terminal.glyphs import fit
from bntui.ui.widgets.answer import Answer

JUDGED = {
    True: ("√", "good", ""),
    False: ("×", "bad", "Not so on this run:\n"),
    None: ("·", "faint", "Not measured:\n"),
}
"""Of a claim that holds, that does not, and that is not measured: mark, style and the words before it."""
MARKS = {True: ("√ ", "good"), False: ("× ", "bad"), None: ("", "")}
"""Of the prediction: right, wrong, or none."""
SENTENCE = re.compile(r"(?<=[.?!]) +(?=[A-Z0-9“(])")
FIGURE = r"(?<![\w.])\d[\d,.]*\d%?|(?<![\w.])\d%?"
WIDE = 116
"""Columns from which on the runs stand beside what is said of them."""
TABLE = 56
"""Cells of the runs' table where it stands beside."""
LEAST = 14
"""Rows that have to be left below the chart."""
FRAME = 6
"""Cells that a table can't have: the border's, the padding's and the scrollbar's."""


class AfterConclusion(Enum):
    """What the reader wants next."""

    FOLLOWING = auto()
    LIST = auto()


class ConclusionScreen(Dialog[AfterConclusion | None]):
    """Closes with what comes next, None to stay with the curves."""

    BINDINGS: ClassVar[list[BindingType]] = [*course_keys.CONCLUSION.bindings()]
    DEFAULT_CSS = """
    ConclusionScreen {
        align: center bottom;
        &.-beside { background: transparent; }
        & > .box { width: 100%; }
        #said, #runs { height: auto; }
        #said { padding-right: 2; }
        #runs { margin-top: 1; }
        &.-wide > .box { layout: horizontal; }
        &.-wide #runs { width: 56; margin-top: 0; }
        Static { height: auto; }
        #table { margin-bottom: 1; }
        .finding { height: auto; margin-top: 1; }
        .mark { width: 3; }
        .words { width: 1fr; }
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
        """Lay out the answer and the claims; then every run, and the keys."""
        experiment, conclusion = self.progress.experiment, self.progress.conclusion()
        with VerticalScroll(classes="box") as box:
            box.border_title = self._title()
            first = "enter: the next · " if self._following else ""
            box.border_subtitle = fit(self.app, f"{first}g: all · esc: stay here")
            with Vertical(id="said"):
                yield self._text(experiment.heading, "strong")
                yield self._text(experiment.question.text)
                yield from self._answer(conclusion)
                for finding in conclusion.findings:
                    yield self._finding(finding)
            with Vertical(id="runs"):
                yield Static(id="table", markup=False)
                if self._following:
                    yield Answer("enter", f"next: {self._following.heading}", "following")
                yield Answer("g", "all experiments", "list")
                yield Answer("esc", "stay with the curves, and turn what you like", "dismiss(None)")

    def on_resize(self, event: Resize) -> None:
        """Leave the chart in sight where there is room for both."""
        wide = event.size.width >= WIDE
        self.set_class(wide, "-wide")
        room = (TABLE if wide else event.size.width - FRAME) - 1
        runs = fit(self.app, table(self.progress.conclusion().runs, room))
        self.query_one("#table", Static).update(runs)
        self.call_after_refresh(self._leave_chart)

    def action_following(self) -> None:
        """Go on with the next experiment, or with the list after the last."""
        self.dismiss(AfterConclusion.FOLLOWING if self._following else AfterConclusion.LIST)

    def action_list(self) -> None:
        """Show all experiments."""
        self.dismiss(AfterConclusion.LIST)

    def _title(self) -> str:
        if self.progress.over:
            return "conclusion"
        count, all_of_them = len(self.progress.ended), len(self.progress.configs)
        return f"what {count} of {all_of_them} runs showed"

    def _leave_chart(self) -> None:
        """Begin below the chart that the explorer shows, if enough rows are left there."""
        charts = self.app.screen_stack[0].query("#panel-1, #panel-2")
        below = min((chart.region.bottom for chart in charts if chart.region.area), default=0)
        beside = self.has_class("-wide") and self.size.height - below >= LEAST
        self.set_class(beside, "-beside")
        self.query_one(".box").styles.max_height = self.size.height - below if beside else None

    def _answer(self, conclusion: Conclusion) -> ComposeResult:
        """Say which answer was right, and what was predicted."""
        question = self.progress.experiment.question
        as_predicted = conclusion.as_predicted
        mark, style = MARKS[as_predicted]
        yield self._text(f"{mark}{conclusion.outcome(question)}.", f"strong {style}")
        if as_predicted:
            yield self._text("As you predicted.", "strong good")
        elif predicted := conclusion.prediction(question):
            yield self._text(f"{predicted[0].upper()}{predicted[1:]}.")
        if not math.isnan(off := self.progress.off()):
            yield self._text(f"Your pencil's line was off by {off:.2f} on average.")

    def _finding(self, finding: Finding) -> Horizontal:
        """Return a claim: its mark, and a line for each of its sentences, the figures in bold."""
        mark, style, before = JUDGED[finding.holds]
        before = "" if finding.contrary else before
        words = Text("\n".join(SENTENCE.split(fit(self.app, f"{before}{finding.text}"))))
        words.highlight_regex(FIGURE, "bold")
        return Horizontal(
            self._text(mark, f"mark strong {style}"),
            Static(words, classes="words"),
            classes="finding",
        )

    def _text(self, text: str, classes: str = "") -> Static:
        return Static(fit(self.app, text), markup=False, classes=classes)
