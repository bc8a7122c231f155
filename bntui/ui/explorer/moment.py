"""A moment of a run's past: its layers, each of which opens."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from bntui.core.measured import Validation
from bntui.core.snapshot import Snapshot
from bntui.core.text import percent
from bntui.ui import key_table
from bntui.ui.explorer.drift import DriftTable
from bntui.ui.explorer.layer import LayerScreen
from bntui.ui.explorer.past import as_of, kept_validations
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.widgets.paragraphs import Paragraphs
from bntui.ui.widgets.status import StatusLine


class MomentScreen(Screen[None]):
    """Shows the layers of one validation; ← and → go to the one before and after it."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.MOMENT.bindings()]
    DEFAULT_CSS = """
    MomentScreen Paragraphs { height: 3; }
    MomentScreen DriftTable { height: 1fr; }
    """

    def __init__(self, snapshot: Snapshot, validation: Validation) -> None:
        """Show one of the validations that were kept of `snapshot`'s run."""
        super().__init__()
        self.validation = validation
        self._snapshot = snapshot

    @property
    def then(self) -> Snapshot:
        """The run as it was."""
        return as_of(self._snapshot, self.validation)

    def compose(self) -> ComposeResult:
        """Lay out a few words, the layers, and the keys."""
        yield StatusLine()
        yield Paragraphs("a moment of the past", id="when", classes="")
        yield DriftTable(classes="panel")
        yield MessageLines()
        yield KeyLine(key_table.MOMENT.shown())

    def on_mount(self) -> None:
        """Show the moment."""
        self._draw()
        self.query_one(DriftTable).focus()

    def action_go(self, by: int) -> None:
        """Go to the next moment that was kept (1), or to the one before (−1)."""
        known = kept_validations(self._snapshot)
        before = [one for one in known if one.update < self.validation.update]
        after = [one for one in known if one.update > self.validation.update]
        if by > 0 and after:
            self.validation = after[0]
        elif by < 0 and before:
            self.validation = before[-1]
        else:
            self.notify(f"this is the {'last' if by > 0 else 'first'} moment that was kept")
        self._draw()

    def show(self, snapshot: Snapshot) -> None:
        """Take note of what the run has come to; the moment stays."""
        self._snapshot = snapshot

    @on(DriftTable.Opened)
    def _open(self, event: DriftTable.Opened) -> None:
        event.stop()
        self.app.push_screen(LayerScreen(self.then, None, event.index), self._back)

    def _back(self, index: int | None) -> None:
        table = self.query_one(DriftTable)
        table.chosen = index or 0
        table.repaint()

    def _draw(self) -> None:
        watched = self._snapshot.watched
        score, noun = watched.score if watched else "accuracy", self._snapshot.noun
        self.query_one(DriftTable).show(self.then)
        self.query_one(Paragraphs).show(
            [(words, "") for words in about(self.validation, score, noun)]
        )


def about(validation: Validation, score: str = "accuracy", noun: str = "images") -> list[str]:
    """Say of a validation when it was, and what it found.

    `score` is what its accuracy is called, `noun` what it was measured on.
    """
    running, fresh = validation.running.accuracy, validation.fresh.accuracy
    left = validation.layers[0].start_left if validation.layers else 0.0
    if not validation.images:
        return [f"Update {validation.update:,}.", f"{percent(left)} of the start value is left."]
    return [
        f"Update {validation.update:,}, {validation.images:,} {noun}: {score} {running:.3f} with "
        f"running statistics, {fresh:.3f} with fresh ones.",
        f"{percent(left)} of the start value is left.",
    ]
