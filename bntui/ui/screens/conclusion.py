"""What came out of an experiment: prediction against outcome, every claim, the thread's numbers."""

from enum import Enum, auto
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from bntui.outcome import Outcome
from bntui.scenario import Comparison, Scenario
from bntui.ui.course import Performance
from bntui.ui.glyphs import fit

JUDGED = {
    True: ("√ holds", "good"),
    False: ("× does not", "bad"),
    None: ("· not measured", "faint"),
}
COMPARED = ("acc", "val_acc", "val_loss")
NAME, VALUE = 36, 10
"""Cells of a run's name and of each of its values."""


class Next(Enum):
    """What the reader wants next."""

    FOLLOWING = auto()
    LIST = auto()


class ConclusionScreen(ModalScreen[Next | None]):
    """Closes with what comes next, None to stay with the curves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "following"),
        Binding("g", "list"),
        Binding("escape,q", "dismiss(None)"),
    ]
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

    def __init__(self, performance: Performance, following: Scenario | None) -> None:
        """`following` is the next experiment of the course."""
        super().__init__()
        self.performance = performance
        self._following = following

    def compose(self) -> ComposeResult:
        """Lay out the answer, the claims and the thread's numbers."""
        scenario, conclusion = self.performance.scenario, self.performance.conclusion()
        with VerticalScroll() as box:
            box.border_title = "conclusion"
            first = "enter: the next · " if self._following else ""
            box.border_subtitle = fit(self.app, f"{first}g: all · esc: stay here")
            yield self._text(scenario.heading, "strong")
            yield self._text(scenario.question.text)
            mark, style = "", ""
            if conclusion.chosen is not None:
                right = conclusion.chosen == conclusion.right
                mark, style = ("√ ", "good") if right else ("× ", "bad")
            yield self._text(f"{mark}{conclusion.answer(scenario.question)}.", f"strong {style}")
            for finding in conclusion.findings:
                words, style = JUDGED[finding.holds]
                with Horizontal():
                    yield self._text(words, f"mark {style}")
                    yield self._text(finding.text, "claim")
            for comparison in conclusion.comparisons:
                yield self._text(table(comparison))
            yield self._text(self._keys(), "faint")

    def action_following(self) -> None:
        """Go on with the next experiment, or with the list after the last."""
        self.dismiss(Next.FOLLOWING if self._following else Next.LIST)

    def action_list(self) -> None:
        """Show all experiments."""
        self.dismiss(Next.LIST)

    def _keys(self) -> str:
        following = f"enter  next, {self._following.heading}\n" if self._following else ""
        return (
            f"{following}g      all experiments\n"
            "esc    stay with the curves: recalibrate (c), what if (w), branch (b) …"
        )

    def _text(self, text: str, classes: str = "") -> Static:
        return Static(fit(self.app, text), markup=False, classes=classes)


def table(comparison: Comparison) -> str:
    """Return the thread's figures above those of the arm that repeats it."""
    epochs = len(comparison.there.history("acc"))
    head = f"{'after the last epoch':{NAME}}" + "".join(f"{name:>{VALUE}}" for name in COMPARED)
    there = f"the thread, batch {comparison.batch}, {epochs} epochs"
    return "\n".join(
        [head, _row(there, comparison.there), _row(comparison.arm.label, comparison.here)]
    )


def _row(name: str, outcome: Outcome) -> str:
    name = name if len(name) < NAME else f"{name[: NAME - 2]}…"
    return f"{name:{NAME}}" + "".join(f"{outcome.final(of):>{VALUE}.4f}" for of in COMPARED)
