"""How often the network predicts each class, under both kinds of statistics."""

from __future__ import annotations

from dataclasses import dataclass

from bntui.core.cells import cell_len, padded, shorten, wrapped
from bntui.core.measured import Score
from bntui.core.scales import nice
from bntui.core.snapshot import Snapshot
from bntui.ui.drawing.canvas import Picture, Row, Span
from bntui.ui.drawing.charts import bar
from bntui.ui.drawing.titles import fitted_title
from bntui.ui.widgets.focus_canvas import FocusCanvas

FIGURE = 4
"""Cells of a share: "100%"."""
LEAST_BAR = 5
"""Cells that a long name leaves to the bar."""
WAITING = "waiting for the first validation"
UNKNOWN = "how often the model predicts each class is not known of this run"
TRACK, MARK = "·", "│"
"""What shows how far a bar could go, and where fresh statistics would have it end."""


class Predictions(FocusCanvas):
    """A bar a class with running statistics, and a mark, or where there is room a bar, with fresh ones."""

    BORDER_TITLE = "predictions"
    hint = "how often the network predicts each class · with running and with fresh statistics"

    _snapshot = Snapshot()

    def show(self, snapshot: Snapshot) -> None:
        """Show the predictions of a snapshot's last validation."""
        self._snapshot = snapshot
        self._say()
        self.repaint()

    def on_resize(self) -> None:
        """Say in the title whose bars there are."""
        self._say()

    def _say(self) -> None:
        names = classes(self._snapshot)
        pairs = bool(names) and has_pairs(len(names), self.size.height)
        whose = f"{self.BORDER_TITLE}: running, below it fresh" if pairs else self.BORDER_TITLE
        self.retitle(fitted_title([(whose, self.BORDER_TITLE)], self.size.width))

    def draw(self, width: int, height: int) -> Picture:
        """Return the picture, or what it waits for."""
        validation, names = self._snapshot.validation, classes(self._snapshot)
        if validation is None or not names:
            unknown = validation is not None and self._snapshot.facts is not None
            lines = wrapped(UNKNOWN if unknown else WAITING, max(8, width - 2))
            return [[(f" {line}", "faint")] for line in lines]
        running, fresh = shares(validation.running), shares(validation.fresh)
        if not fresh:  # nothing is known of fresh statistics
            fresh = running
        return predictions(names, running, fresh, width, height)


def classes(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the names of the classes that are predicted, their numbers where they have none.

    Nothing before the first validation, and where it does not tell.
    """
    validation, facts = snapshot.validation, snapshot.facts
    if validation is None or facts is None or not any(validation.running.predicted):
        return ()
    return facts.class_names or tuple(map(str, range(len(validation.running.predicted))))


@dataclass(frozen=True, slots=True)
class Share:
    """How often one class is predicted, or several together."""

    name: str
    running: float
    fresh: float


def predictions(
    names: tuple[str, ...], running: list[float], fresh: list[float], width: int, height: int
) -> Picture:
    """Draw each class: two bars where there is room for that, else one with a mark, and a header.

    Where there are more classes than rows, those predicted most often are shown, and the others as one.
    """
    pairs = has_pairs(len(names), height)
    shown = classes_to_show(running, fresh, max(1, height - 1 + pairs))
    others = [place for place in range(len(names)) if place not in shown]
    rows = [Share(names[place], running[place], fresh[place]) for place in shown]
    if others:
        sums = (sum(share[place] for place in others) for share in (running, fresh))
        rows.append(Share(f"+{len(others)}", *sums))
    longest = max(cell_len(one.name) for one in rows)
    beside = 2 + (1 if pairs else 2) * (FIGURE + 1)
    size = max(LEAST_BAR, width - longest - beside)
    label = max(1, width - size - beside)
    end = nice(max(*(one.running for one in rows), *(one.fresh for one in rows)))
    if pairs:
        return [row for one in rows for row in _two_rows(one, label, size, end)]
    left, right = f"{' ' * (label + 2)}running", f"{MARK} fresh"
    between = " " * (width - len(left) - len(right))
    head = [(left, "running"), (between, ""), (right, "fresh")]
    return [head, *(_one_row(one, label, size, end) for one in rows)]


def has_pairs(classes: int, height: int) -> bool:
    """Tell whether there is room for two bars a class."""
    return height >= 2 * classes


def _one_row(one: Share, label: int, size: int, end: float) -> Row:
    place = min(int(one.fresh / end * size), size - 1)
    return [
        _name(one.name, label),
        (f"{one.running:>{FIGURE}.0%} ", "running"),
        *_marked(*_track(one.running / end, size), place),
        (f" {one.fresh:>{FIGURE}.0%}", "fresh"),
    ]


def _two_rows(one: Share, label: int, size: int, end: float) -> Picture:
    """Draw a class's bar with running statistics, and below it that with fresh ones."""
    pairs = ((one.name, one.running, "running"), ("", one.fresh, "fresh"))
    return [
        [
            _name(name, label),
            *zip(_track(share / end, size), (role, "faint"), strict=True),
            (f" {share:>{FIGURE}.0%}", role),
        ]
        for name, share, role in pairs
    ]


def _name(name: str, label: int) -> Span:
    return f" {padded(shorten(name, label), label)} ", "faint"


def _track(fraction: float, size: int) -> tuple[str, str]:
    """Return a bar, and the track that is left of its `size` cells."""
    drawn = bar(fraction, size).rstrip()
    return drawn, TRACK * (size - len(drawn))


def _marked(drawn: str, track: str, place: int) -> Row:
    """Return a bar and its track with the mark of fresh statistics at one cell of them."""
    both = [(one, "running") for one in drawn] + [(one, "faint") for one in track]
    both[place] = (MARK, "fresh")
    return both


def classes_to_show(running: list[float], fresh: list[float], rows: int) -> list[int]:
    """Return the classes to show in so many rows, in their own order; a row is for the others."""
    classes = range(len(running))
    if len(classes) <= rows:
        return list(classes)
    most = sorted(classes, key=lambda place: -max(running[place], fresh[place]))
    return sorted(most[: max(1, rows - 1)])


def shares(score: Score) -> list[float]:
    """Return the share of the images that each class was predicted for; nothing where that is not known."""
    total = sum(score.predicted)
    if not total:
        return []
    return [count / total for count in score.predicted]
