"""Going back to a moment of the run, to go on from there as another run."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import OptionList

from bntui.core.snapshot import Checkpoint
from bntui.ui import key_table
from bntui.ui.dialogs.dialog import Dialog
from bntui.ui.terminal.glyphs import fit
from bntui.ui.widgets.option_list import Options


class BranchScreen(Dialog[Checkpoint | None]):
    """Lists checkpoints, oldest first; closes with the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.BRANCH.bindings()]
    DEFAULT_CSS = """
    BranchScreen > .box { width: 64; padding: 0; }
    """

    def __init__(self, checkpoints: Sequence[Checkpoint], near: float | None) -> None:
        """`near` is the update of the crosshair, where the choice begins; None for the newest."""
        super().__init__()
        self._checkpoints = checkpoints
        self._near = near

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        lines = [f"update {kept.update:>7,}   {kept.label}" for kept in self._checkpoints]
        moments = Options(*(Text(fit(self.app, line)) for line in lines), classes="box")
        moments.border_title = "return to a moment, and branch off"
        moments.border_subtitle = fit(self.app, "↑ ↓ choose · enter goes on · esc closes")
        yield moments

    def on_mount(self) -> None:
        """Begin at the last checkpoint that is not after the crosshair."""
        before = [
            place
            for place, kept in enumerate(self._checkpoints)
            if self._near is None or kept.update <= self._near
        ]
        self.query_one(OptionList).highlighted = before[-1] if before else 0

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._checkpoints[event.option_index])
