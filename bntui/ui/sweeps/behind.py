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
from bntui.ui.sweeps.words import run_line
from bntui.ui.terminal.glyphs import fit
from bntui.ui.widgets.option_list import Options


class RunsBehindScreen(Dialog[CellState | None]):
    """Lists runs; closes with the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [*sweep_keys.BEHIND.bindings()]
    DEFAULT_CSS = """
    RunsBehindScreen > .box { width: 74; padding: 0; }
    """

    def __init__(self, title: str, runs: Sequence[CellState], epoch: int, momentum: int) -> None:
        """`title` says at which settings they are; of each stands what `words.run_line` says of it."""
        super().__init__()
        self._title, self._runs = title, runs
        self._lines = [run_line(one, epoch, momentum) for one in runs]

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        listed = Options(*(Text(fit(self.app, one)) for one in self._lines), classes="box")
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
