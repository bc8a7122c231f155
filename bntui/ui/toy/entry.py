"""The toy as an entry of the list of guided experiments."""

from bntui.ui.experiments.list import ExperimentsScreen, Lesson
from bntui.ui.experiments.sheet import BLANK_BELOW, Paragraph

TITLE = "The mechanism: one channel, eight values a batch"
FACT = "no network · a few minutes"
SHEET = (
    "Before the network: one channel of it, and batches of eight values that drop in. BatchNorm remembers "
    "their mean and variance, goes a small share of the way to each batch's, and validates with what it "
    "remembers.",
    "You see the remembered curve lag behind the real one, turn the momentum with ← →, and watch it catch "
    "up, jump, and be repaired. The arithmetic of each update stands below, with its numbers.",
    "Your run goes on meanwhile. `bntui toy` opens this alone.",
)
LEAVES = (
    "That is the mechanism; a network has hundreds of such channels. esc goes back to the experiments",
    "That is the mechanism. esc goes back to the experiments",
)


def mechanism() -> Lesson:
    """Return the entry that opens the toy over the list."""
    heading: Paragraph = ([(TITLE, "bold")], BLANK_BELOW)
    read: list[Paragraph] = [([(text, "")], BLANK_BELOW) for text in SHEET]
    return Lesson(TITLE, FACT, [heading, *read], _open, number="0")


def _open(listed: ExperimentsScreen) -> None:
    from bntui.ui.toy.screen import ToyScreen  # who only reads the list needs none of it

    listed.app.push_screen(ToyScreen(LEAVES))
