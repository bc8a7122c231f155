"""The help screen."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

KEYS = (
    (
        "Knobs",
        (
            ("↑ ↓  tab", "choose a knob"),
            ("← →", "turn it: it acts at the next update (BN: on a new run)"),
            ("enter", "type a value"),
        ),
    ),
    (
        "Run",
        (
            ("space", "pause, go on; after the last epoch, ten more"),
            ("n", "a single update"),
            ("r", "restart with the same seed; the old curves stay as a ghost"),
            ("R", "restart with a new seed"),
            ("c", "recalibrate: running statistics from training batches, weights untouched"),
            ("d", "after a failure: a new run on the built-in digits"),
        ),
    ),
    (
        "Screen",
        (
            ("1 – 4", "panels, where the terminal is too small for all"),
            ("ctrl+p", "command palette: themes and more"),
            ("?", "this help"),
            ("q  ctrl+c", "quit"),
        ),
    ),
)
READING = """\
train     accuracy of the batch just trained on (batch statistics)
fresh     validation with statistics taken from training images now:
          what the weights deserve
running   validation with the running statistics: what you get
Where fresh is high and running is low, the weights are fine and the statistics are stale.
"""


class KeysScreen(ModalScreen[None]):
    """Every key, and how to read the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss(None)", "close")
    ]
    DEFAULT_CSS = """
    KeysScreen {
        align: center middle;
        VerticalScroll {
            width: 84; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 0 1;
        }
    }
    """

    def compose(self) -> ComposeResult:
        """Lay out the lists."""
        with VerticalScroll() as box:
            box.border_title = "Keys"
            box.border_subtitle = "esc closes"
            for title, keys in KEYS:
                lines = "\n".join(f"  {key:<10} {text}" for key, text in keys)
                yield Static(f"{title}\n{lines}", markup=False)
            yield Static(f"How to read the curves\n{READING}", markup=False)
