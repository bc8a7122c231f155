"""The help screen."""

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from bntui.ui import key_table
from bntui.ui.dialogs.dialog import Dialog
from bntui.ui.key_lines import Section
from bntui.ui.terminal.glyphs import fit

HOW_TO_READ = """\
  train     the batch just trained on, normalised by its own statistics
  fresh     validation with statistics taken from training images now:
            what the weights can do
  running   validation with the running statistics: what you get
Where fresh is high and running is low, the weights are fine and the statistics are stale.
The map shows, for every momentum at once, what running would have been.
The noise scale over the loss is the batch size, in images, at which larger ones begin to pay
less, with the ends of its 95 % interval. It compares parts of a batch, each normalised by its
own BN statistics.
"""


class KeysScreen(Dialog[None]):
    """The keys of a screen."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.HELP.bindings()]

    def __init__(self, sections: Iterable[Section], *, reading: bool = False) -> None:
        """Show sections of the table of keys; with `reading`, also how to read the explorer's curves."""
        super().__init__()
        self._sections = sections
        self._reading = reading

    def compose(self) -> ComposeResult:
        """Lay out the lists."""
        with VerticalScroll(classes="box") as box:
            box.border_title = "Keys"
            box.border_subtitle = "esc closes"
            for section in self._sections:
                lines = "\n".join(f"  {line.keys:<9} {line.does}" for line in section.lines)
                yield Static(fit(self.app, f"{section.title}\n{lines}"), markup=False)
            if self._reading:
                yield Static(fit(self.app, f"How to read the curves\n{HOW_TO_READ}"), markup=False)
