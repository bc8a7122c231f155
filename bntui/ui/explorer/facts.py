"""What a run that is followed is made of, in the place of the knobs of a run of one's own."""

from textual.geometry import Size

from bntui.core import watched_words
from bntui.core.cells import shorten
from bntui.core.snapshot import Snapshot
from bntui.core.text import percent
from bntui.core.watched import Watched
from bntui.core.watched_words import UNKNOWN
from bntui.ui.drawing.canvas import Picture, Row
from bntui.ui.widgets.focus_canvas import FocusCanvas
from bntui.ui.widgets.knob import LABEL_WIDTH
from bntui.ui.widgets.knob_spec import KNOBS

ROOMY, SHORT_LABEL = 40, 10
"""Cells from which on labels are whole, and how long they are in less."""
SHORTER = {"learning rate": "rate", "batch size": "batch size"}
Fact = tuple[str, str, str]
"""What it is, the same in one short word, and its value. Without the short word it has no place on one line."""


class FactsPanel(FocusCanvas):
    """A row a fact; on one line those that matter most."""

    hint = "this run is followed: it is looked at, and not led · q leaves it as it is"
    DEFAULT_CSS = "FactsPanel { height: auto; }"

    _snapshot = Snapshot(followed=True)

    def show(self, snapshot: Snapshot) -> None:
        """Show what `snapshot`'s run is made of."""
        other = (self._snapshot.watched is None) is not (snapshot.watched is None)
        self._snapshot = snapshot
        if other:  # of which there are more or fewer facts
            self.refresh(layout=True)
        self.repaint()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many facts there are."""
        return len(facts_of(self._snapshot))

    def draw(self, width: int, height: int) -> Picture:
        """Return the facts, one below the other or on one line."""
        facts = facts_of(self._snapshot)
        if height == 1:
            mark = "▸" if self.has_focus else " "
            said = [fact for fact in facts if fact[1] and fact[2] != UNKNOWN]
            return [_one_line(said, width, mark)]
        beside = LABEL_WIDTH if width >= ROOMY else SHORT_LABEL
        room = max(1, width - beside - 2)
        return [
            [
                (f" {_label(label, beside):<{beside}}", "plain"),
                (f" {shorten(value, room)}", "strong"),
            ]
            for label, _, value in facts
        ][:height]


def _label(label: str, room: int) -> str:
    return label if len(label) <= room else SHORTER.get(label, label[:room])


def facts_of(snapshot: Snapshot) -> list[Fact]:
    """Return the facts of a run, in their order."""
    if snapshot.watched:
        return _of_watched(snapshot, snapshot.watched)
    config, knobs = snapshot.config, snapshot.knobs
    return [
        (
            spec.label,
            spec.short,
            spec.show(getattr(config if spec.structural else knobs, spec.name)),
        )
        for spec in KNOBS
        if spec.name != "pace"
    ]


def _of_watched(snapshot: Snapshot, watched: Watched) -> list[Fact]:
    return [
        ("script", "", watched.script or UNKNOWN),
        ("model", "", watched.model or UNKNOWN),
        ("BN layers", "", _layers(snapshot)),
        ("optimizer", "", watched.optimizer or UNKNOWN),
        ("batch size", "batch", watched_words.batch_words(watched)),
        ("learning rate", "lr", watched_words.rate_words(watched)),
        ("momentum", "m", watched_words.momentum_words(watched)),
        ("watching", "watching", f"{percent(watched.share)} of time"),
    ]


def _layers(snapshot: Snapshot) -> str:
    layers = snapshot.validation.layers if snapshot.validation else ()
    if not layers:
        return UNKNOWN
    channels = sum(layer.channels for layer in layers)
    return f"{len(layers)}, {channels:,} channels"


def _one_line(facts: list[Fact], width: int, mark: str) -> Row:
    """Return as many facts as so many cells have room for."""
    row: Row = [(mark, "faint")]
    used = 1
    for _, short, value in facts:
        cells = len(short) + len(value) + 3
        if used + cells > width:
            break
        row += [(f"{short} ", "faint"), (f"{value}  ", "strong")]
        used += cells
    return row
