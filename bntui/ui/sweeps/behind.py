"""The runs behind a tile of a phase diagram, of which one can be opened."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import OptionList

from bntui.core.sweep import CellState
from bntui.ui import sweep_keys
from bntui.ui.dialogs.dialog import Dialog
from bntui.ui.runs.archive import ID
from bntui.ui.sweeps.words import SIGNS
from bntui.ui.terminal.glyphs import fit
from bntui.ui.widgets.option_list import Options


class RunsBehindScreen(Dialog[CellState | None]):
    """Lists runs; closes with the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [*sweep_keys.BEHIND.bindings()]
    DEFAULT_CSS = """
    RunsBehindScreen > .box { width: 74; padding: 0; }
    """

    def __init__(self, title: str, runs: Sequence[CellState]) -> None:
        """`title` says at which settings they are."""
        super().__init__()
        self._title, self._runs = title, runs

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        listed = Options(*(Text(fit(self.app, run_line(one))) for one in self._runs), classes="box")
        listed.border_title = fit(self.app, self._title)
        listed.border_subtitle = fit(self.app, "↑ ↓ choose · enter opens · esc closes")
        yield listed

    def on_mount(self) -> None:
        """Begin at the first run."""
        super().on_mount()
        self.query_one(OptionList).highlighted = 0

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._runs[event.option_index])


def run_line(run: CellState) -> str:
    """Return how a run stands, and what was measured last with its own statistics and fresh ones."""
    line = f"{SIGNS[run.standing]} {run.cell.id[:ID]}  seed {run.cell.seed:<3} {run.standing:<11}"
    if run.message:
        return f"{line} {run.message}"
    if not run.epochs:
        return line.rstrip()
    last = run.epochs[-1]
    return f"{line} epoch {last.epoch}: running {last.own:.3f}, fresh {last.fresh:.3f}"
