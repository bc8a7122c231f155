"""The lines above and below a phase diagram."""

from collections.abc import Sequence

from bntui.core.cells import cell_len
from bntui.core.sweep import SweepView
from bntui.sweeps.phase import Diagram
from bntui.ui.drawing.canvas import Canvas, Picture, Row
from bntui.ui.sweeps.words import epoch_words, flowed, progress, what
from bntui.ui.widgets.notices import whole_parts

MORE = " · …"
"""What ends a line for whose rest there is no room."""
Held = tuple[str, str, bool]
"""The label of a setting that is no axis, its value, and whether [ and ] change that."""


class SweepLine(Canvas):
    """The line on top: which sweep it is, and how far it is."""

    DEFAULT_CSS = "SweepLine { height: 1; background: $panel; }"

    _what = ""
    _progress: tuple[str, ...] = ("",)

    def show(self, view: SweepView, workers: str) -> None:
        """Show how far a sweep is, and with what it works."""
        self._what, self._progress = what(view), progress(view, workers)
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the line: the sweep on the left, its progress on the right."""
        room = width - len(" bntui ") - 2
        name = cell_len(self._what.partition(" · ")[0])
        right = next(
            (one for one in self._progress if cell_len(one) + name < room), self._progress[-1]
        )
        left = self._what
        while cell_len(left) + cell_len(right) > room and left:
            left = left.rpartition(" · ")[0]
        between = " " * max(1, width - len(" bntui ") - cell_len(left) - cell_len(right) - 1)
        return [[(" bntui ", "strong"), (left, "faint"), (between, ""), (right, "plain")]]


class ChoiceLine(Canvas):
    """Which diagram is shown: of which value, at which epoch, at which values of the other settings."""

    DEFAULT_CSS = "ChoiceLine { height: 1; }"

    _parts: tuple[str, ...] = ()
    _held: tuple[Held, ...] = ()

    def show(self, diagram: Diagram, held: Sequence[Held]) -> None:
        """Show what is chosen."""
        self._parts = tuple(filter(None, (str(diagram.choice.value), epoch_words(diagram))))
        self._held = tuple(held)
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the line; of the settings those that there is room for, the one that keys change first."""
        row: Row = [(f" {' · '.join(self._parts)}", "strong")]
        left = width - 1 - cell_len(row[0][0])
        kept = []
        for one in sorted(self._held, key=lambda held: not held[2]):
            cells = cell_len(self._written(one)) + 3
            if cells <= left:
                kept.append(one)
                left -= cells
        for one in (one for one in self._held if one in kept):
            row += [(" · ", "faint"), (self._written(one), "strong" if one[2] else "faint")]
        return [row]

    def _written(self, held: Held) -> str:
        label, value, changes = held
        return f"{label} [{value}]" if changes else f"{label} {value}"


class Reading(Canvas):
    """What was measured at the crosshair: at which settings, what, and the runs behind it."""

    DEFAULT_CSS = "Reading { height: 4; }"

    _groups: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def show(self, *groups: tuple[str, Sequence[str]]) -> None:
        """Show groups of parts, each from a new line on, in its role."""
        self._groups = tuple((role, tuple(parts)) for role, parts in groups)
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the lines: one for each group, and more in their order while there are any."""
        groups = [flowed(parts, width - 2) for _, parts in self._groups][:height]
        left = height - sum(map(bool, groups))
        picture: Picture = []
        for (role, _), lines in zip(self._groups, groups, strict=False):
            shown = lines[: 1 + left]
            left -= max(0, len(shown) - 1)
            if len(shown) < len(lines):
                shown[-1] = f"{whole_parts(shown[-1], width - 2 - len(MORE))}{MORE}"
            picture += [[(f" {line}", role)] for line in shown]
        return picture
