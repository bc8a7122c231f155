"""The line on top: what is trained on what, and how far it is."""

from collections.abc import Iterable
from typing import Any

from textual import events
from textual.message import Message
from textual.screen import Screen

from bntui.core.cells import cell_len, cut
from bntui.core.snapshot import Phase, Snapshot
from bntui.ui.drawing.canvas import Canvas, Picture, Row

GLYPHS = {
    Phase.LOADING: "○",
    Phase.RUNNING: "▶",
    Phase.PAUSED: "‖",
    Phase.FINISHED: "■",
    Phase.STOPPED: "■",
    Phase.INTERRUPTED: "■",
    Phase.FAILED: "×",
}


NOTHING = Snapshot()


class StatusLine(Canvas):
    """One line over the whole screen."""

    DEFAULT_CSS = "StatusLine { height: 1; background: $panel; }"

    class Pressed(Message):
        """The user has clicked on the phase of the run, to pause it or to go on."""

    _phase_at = 0
    """The column in which the phase begins."""
    snapshot = NOTHING
    """What it shows."""

    def on_mount(self) -> None:
        """Begin with what the header of the screen below shows, until the run is looked at anew."""
        if self.blank:
            self.show(shown_in(self.app.screen_stack))

    @property
    def blank(self) -> bool:
        """Whether nothing was shown yet."""
        return self.snapshot is NOTHING

    def show(self, snapshot: Snapshot) -> None:
        """Show where `snapshot`'s run stands."""
        self.snapshot = snapshot
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the line: the run on the left, its progress on the right."""
        snapshot, brief = self.snapshot, width < 100
        left, right = what(snapshot, brief=brief), progress(snapshot, brief=brief)
        room = max(0, width - len(right) - 9)
        dot = " " if brief and not snapshot.watched else " · "
        while (snapshot.facts or snapshot.watched) and cell_len(left) > room and dot in left:
            left = left.rpartition(dot)[0].removesuffix(" width").removesuffix(" seed")
        row: Row = [
            (" bntui ", "strong"),
            (cut(left, room), "faint"),
        ]
        used = sum(cell_len(text) for text, _ in row)
        role = "bad" if snapshot.phase is Phase.FAILED else "plain"
        between = " " * max(1, width - used - len(right) - 1)
        self._phase_at = used + len(between)
        return [[*row, (between, ""), (right, role)]]

    def on_click(self, event: events.Click) -> None:
        """Pause the run, or go on with it, by a click on its phase."""
        if event.x >= self._phase_at:
            self.post_message(self.Pressed())


def shown_in(screens: Iterable[Screen[Any]]) -> Snapshot:
    """Return the snapshot in the header that lies on top, and `NOTHING` where none shows one."""
    shown = [
        one.snapshot for screen in screens for one in screen.query(StatusLine) if not one.blank
    ]
    return shown[-1] if shown else NOTHING


def what(snapshot: Snapshot, *, brief: bool = False) -> str:
    """Say what the run is made of: data, device, network and seed."""
    facts, config = snapshot.facts, snapshot.config
    if snapshot.watched:
        device = facts.device if facts else ""
        return " · ".join(filter(None, (snapshot.watched.script, snapshot.watched.model, device)))
    if facts is None:
        return snapshot.message
    counts = f"{facts.dataset} {facts.train:,}+{facts.validation:,}"
    parts = [facts.device, f"width {config.width:g}", f"seed {config.seed}"]
    return " ".join([counts, *parts]) if brief else " · ".join([f"{counts} images", *parts])


def progress(snapshot: Snapshot, *, brief: bool = False) -> str:
    """Say how far the run is."""
    phase = f"{GLYPHS[snapshot.phase]} {snapshot.phase.value}"
    if snapshot.watched:
        return " · ".join([phase, *_watched_progress(snapshot, brief=brief)])
    if snapshot.facts is None:
        return phase
    steps = snapshot.config.steps
    update = f"{snapshot.update}/{steps}" if steps else f"{snapshot.update}"
    epoch = f"{snapshot.epoch}" if steps else f"{snapshot.epoch}/{snapshot.epochs}"
    if brief:
        return f"{phase} {update} · {epoch} · {snapshot.images_per_s:,.0f}/s"
    return f"{phase} · update {update} · epoch {epoch} · {snapshot.images_per_s:,.0f} images/s"


def _watched_progress(snapshot: Snapshot, *, brief: bool) -> list[str]:
    """Say how far a watched training is; what is not known of it is left out."""
    parts = [f"{snapshot.update}" if brief else f"update {snapshot.update}"]
    if snapshot.epoch:
        until = f"/{snapshot.epochs}" if snapshot.epochs >= snapshot.epoch else ""
        parts.append(f"{snapshot.epoch}{until}" if brief else f"epoch {snapshot.epoch}{until}")
    if snapshot.images_per_s > 0.0:
        parts.append(f"{snapshot.images_per_s:,.0f}{'/s' if brief else ' images/s'}")
    elif snapshot.seconds > 0.0 and snapshot.update and not brief:
        parts.append(f"{snapshot.update / snapshot.seconds:.3g} updates/s")
    return parts
