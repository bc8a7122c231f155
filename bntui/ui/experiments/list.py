"""The list of guided experiments, and what the chosen one is about."""

from collections.abc import Sequence
from typing import ClassVar

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import OptionList, Static

from bntui.experiments.experiment import Experiment
from bntui.ui import key_table
from bntui.ui.terminal.glyphs import fit
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.widgets.option_list import Options
from bntui.ui.widgets.status import StatusLine

StyledTexts = list[tuple[str, str]]
"""Texts and their styles."""
PadCells = tuple[int, int, int, int]
BLANK_BELOW, INDENTED = (0, 0, 1, 0), (0, 0, 0, 2)
"""Cells above, right, below and left of a paragraph."""


class ExperimentsScreen(Screen[Experiment | None]):
    """Closes with the experiment to begin, or with None for none."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.EXPERIMENTS.bindings()]
    DEFAULT_CSS = """
    ExperimentsScreen {
        Horizontal { height: 1fr; }
        OptionList { width: 42%; max-width: 60; height: 1fr; padding: 0; background: $background; }
        VerticalScroll { width: 1fr; height: 1fr; padding: 0 1; }
        OptionList, VerticalScroll { scrollbar-size-vertical: 1; }
    }
    """

    def __init__(self, experiments: Sequence[Experiment], at: int) -> None:
        """Begin at the experiment in place `at`."""
        super().__init__()
        self._experiments = experiments
        self._at = at

    def compose(self) -> ComposeResult:
        """Lay out the list, and beside it a sheet."""
        yield StatusLine()
        with Horizontal():
            listed = Options(*map(self._line, self._experiments), classes="panel")
            listed.border_title = "experiments"
            yield listed
            with VerticalScroll(classes="panel") as sheet:
                sheet.border_title = "what it is about"
                yield Static(id="sheet")
        yield MessageLines()
        yield KeyLine(key_table.EXPERIMENTS.shown())

    def on_mount(self) -> None:
        """Begin where the reader is."""
        listed = self.query_one(OptionList)
        listed.highlighted = self._at
        listed.focus()

    def action_begin(self) -> None:
        """Close with the chosen one, from the sheet too."""
        place = self.query_one(OptionList).highlighted
        self.dismiss(None if place is None else self._experiments[place])

    @on(OptionList.OptionSelected)
    def _select(self) -> None:
        self.action_begin()

    @on(OptionList.OptionHighlighted)
    def _read(self, event: OptionList.OptionHighlighted) -> None:
        """Show what the chosen one is about, from its beginning."""
        self.query_one("#sheet", Static).update(self._sheet(self._experiments[event.option_index]))
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def _line(self, experiment: Experiment) -> Table:
        """Return number, title and post; a long title goes on under its beginning."""
        line = Table.grid(padding=(0, 1, 0, 0), expand=True)
        line.add_column(width=2, justify="right", no_wrap=True)
        line.add_column(ratio=1)
        line.add_column(width=6, no_wrap=True)
        line.add_row(
            Text(str(experiment.number or "")),
            Text(fit(self.app, experiment.title)),
            Text(f"post {experiment.post}" if experiment.post else ""),
        )
        return line

    def _sheet(self, experiment: Experiment) -> Group:
        return Group(
            *(
                Padding(
                    Text.assemble(*((fit(self.app, text), style) for text, style in parts)), pad
                )
                for parts, pad in paragraphs(experiment)
            )
        )


def paragraphs(experiment: Experiment) -> list[tuple[StyledTexts, PadCells]]:
    """Return what there is to read of an experiment before it runs, and how far each is moved."""
    arms = experiment.arms
    common = [
        setting
        for setting in arms[0].settings
        if len(arms) > 1 and all(setting in arm.settings for arm in arms)
    ]
    runs = f"Runs, each with {' · '.join(common)}" if common else "Runs"
    read: list[tuple[StyledTexts, PadCells]] = [
        ([(experiment.heading, "bold")], BLANK_BELOW),
        ([(experiment.hypothesis, "")], BLANK_BELOW),
        ([("Watch ", "bold"), (experiment.watch, "")], BLANK_BELOW),
        ([(runs, "")], (0, 0, 0, 0)),
    ]
    for arm in arms:
        own = " · ".join(setting for setting in arm.settings if setting not in common)
        parts = [(arm.label, "bold"), (f": {own}" if own else "", "")]
        if arm.published:
            parts.append((f"\nas the thread's run at batch {arm.published}", "dim"))
        read.append((parts, INDENTED))
    return read
