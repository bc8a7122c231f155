"""The help screen."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from bntui.ui.terminal.glyphs import fit

Section = tuple[str, tuple[tuple[str, str], ...]]
"""A title, and lines of keys and what they do."""
CHARTS: Section = (
    "Charts",
    (
        (", . < >", "crosshair by one point, by ten, and the values there"),
        ("{ }", "crosshair to the mark before, after"),
        ("+ - [ ]", "zoom in, out; pan left, right"),
        ("0", "no crosshair, the whole run"),
        ("x s l", "x in updates, images or seconds; smoothing; log loss"),
        ("p", "pin this run's curves behind those to come; again: unpin"),
    ),
)
RUNS: Section = (
    "Runs that are kept",
    (
        ("enter", "lay a run over the charts, or take it away"),
        ("space =", "mark two runs, and compare them; or one with that under way"),
        ("/ s", "filter by words and settings; sort by the next column"),
        ("e p", "write a note; pin a run to the top"),
        ("del u", "delete a run; bring the last one back"),
        ("y R", "the command line that repeats it; resume an interrupted one"),
    ),
)
KEYS: tuple[Section, ...] = (
    (
        "Knobs",
        (
            ("↑ ↓ tab", "choose a knob, the map or the drift table"),
            ("← →", "turn a knob, from the next update on (BN: in a new run)"),
            ("enter", "type a value; on the map: what if; on drift: open a layer"),
        ),
    ),
    (
        "Run",
        (
            ("space", "pause, go on; after the last epoch, as many again"),
            ("n", "a single update"),
            ("r R", "restart with the same seed, a new one; old curves stay faint"),
            ("o i", "the runs that are kept; go on with the interrupted one"),
            ("g", "guided experiments: the thread, post by post"),
            ("k", "structure: norm, depth, width, optimizer, data … of a new run"),
            ("t", "a twin in lockstep but for the chosen knob; again: without"),
            ("b", "return to an epoch or a change, and branch off there"),
            ("c", "try a recalibration; again, soon after: apply it"),
            ("w", "what if: these weights under every momentum"),
            ("v", "the whole verdict"),
            ("y", "show and copy the command line that repeats this run"),
            ("d", "after a failure: go on with the built-in digits"),
        ),
    ),
    CHARTS,
    (
        "Screen",
        (
            ("1 – 5", "panels, where there is no room for all"),
            ("S D W", "save the screen as SVG, the data as CSV; keep the weights"),
            ("ctrl+l", "draw everything anew"),
            ("ctrl+p ?", "command palette: themes, and most of what keys do; this help"),
            ("q ctrl+z", "quit; to the shell, until fg"),
        ),
    ),
)
READING = """\
  train     the batch just trained on, normalised by its own statistics
  fresh     validation with statistics taken from training images now:
            what the weights deserve
  running   validation with the running statistics: what you get
Where fresh is high and running is low, the weights are fine and the statistics are stale.
The map shows, for every momentum at once, what running would have been.
The noise scale over the loss is the batch size, in images, at which larger ones begin to pay
less, with the ends of its 95 % interval. It compares parts of a batch, each normalised by its
own BN statistics.
"""


class KeysScreen(ModalScreen[None]):
    """The keys of a screen; unless told which, every key of the explorer and how to read it."""

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

    def __init__(self, *sections: Section) -> None:
        super().__init__()
        self._sections = sections

    def compose(self) -> ComposeResult:
        """Lay out the lists."""
        with VerticalScroll() as box:
            box.border_title = "Keys"
            box.border_subtitle = "esc closes"
            for title, keys in self._sections or KEYS:
                lines = "\n".join(f"  {key:<9} {text}" for key, text in keys)
                yield Static(fit(self.app, f"{title}\n{lines}"), markup=False)
            if not self._sections:
                yield Static(fit(self.app, f"How to read the curves\n{READING}"), markup=False)
