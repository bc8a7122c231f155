"""What if momentum had been another: validation of the weights at hand under every estimator."""

from collections.abc import Callable
from textwrap import wrap
from typing import ClassVar

import numpy as np
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from bntui.core.measured import Hindsight
from bntui.core.scales import UNIT
from bntui.core.series import Array, SeriesView
from bntui.core.snapshot import Snapshot
from bntui.core.text import exact
from bntui.ui import key_table
from bntui.ui.drawing.axes import AXIS, row_of
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.drawing.charts import bar, chart
from bntui.ui.drawing.legend import LEGEND
from bntui.ui.drawing.plot import Line
from bntui.ui.explorer.available_keys import ENDED
from bntui.ui.explorer.hindsight import kept_rows, label, own_row, why_no_hindsight
from bntui.ui.terminal.glyphs import DOTS, Glyphs, cell

CLOSE = 0.02
"""Accuracy below fresh statistics' that still counts as good as they are."""
_FUZZ = 1e-9
MOMENTUM_WIDTH = 5
"""Cells between two momenta on the axis, at least."""
BELOW_CURVE = 5
"""Rows under the plot: momenta, accuracies, marks, this run's, a blank."""
NAME_WIDTH = 16


class WhatIfScreen(Screen[None]):
    """Asks for a measurement as it opens, and shows it once it is there."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.WHAT_IF.bindings()]

    def __init__(self, snapshot: Snapshot, ask: Callable[[], None]) -> None:
        """`ask` has the run's `what_if` measured anew."""
        super().__init__()
        self._snapshot = snapshot
        self._ask = ask

    def compose(self) -> ComposeResult:
        """Lay out the picture."""
        yield WhatIf()

    def on_mount(self) -> None:
        """Ask, and show what there is."""
        self.action_measure()

    def action_measure(self) -> None:
        """Have the weights of now measured."""
        self.query_one(WhatIf).wait_for_other_than(self._snapshot.what_if)
        if not why_no_hindsight(self._snapshot.config):
            self._ask()
        self.show(self._snapshot)

    def show(self, snapshot: Snapshot) -> None:
        """Show the measurement of `snapshot`."""
        self._snapshot = snapshot
        self.query_one(WhatIf).show(snapshot)


class WhatIf(Canvas):
    """The picture; until a measurement comes, the one before it."""

    BORDER_TITLE = "what if: these weights under every momentum"
    BORDER_SUBTITLE = "w measures again, esc closes"
    DEFAULT_CSS = """
    WhatIf {
        height: 1fr; background: $background;
        border: round $foreground 30%; border-title-color: $foreground 70%;
    }
    """

    _snapshot = Snapshot()
    _old: Hindsight | None = None

    def wait_for_other_than(self, old: Hindsight | None) -> None:
        """Take any measurement but `old` for the one that was asked for."""
        self._old = old
        self.repaint()

    def show(self, snapshot: Snapshot) -> None:
        """Show `snapshot`'s measurement."""
        before, self._snapshot = self._snapshot, snapshot
        same = before.what_if is snapshot.what_if and before.config is snapshot.config
        if not same or before.phase is not snapshot.phase:
            self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return what was measured, or why there is nothing."""
        snapshot, measured = self._snapshot, self._snapshot.what_if
        if reason := why_no_hindsight(snapshot.config):
            return [[(f" {reason}", "faint")]]
        state = state_of(snapshot, waiting=measured is self._old)
        if measured is None:
            return [[(f" {state}", "strong")]]
        where = f"update {measured.updates[0]:.0f}, on {measured.images:,} images"
        what = f"this run {measured.own[0]:.3f}, fresh {measured.fresh[0]:.3f}"
        title = f"{state} before: {where}" if state else f"at {where}: {what}"
        return [[(f" {title}", "strong")], *what_if(measured, width, height - 1, self.glyphs)]


def state_of(snapshot: Snapshot, *, waiting: bool) -> str:
    """Say whether a measurement is under way; nothing once it is there."""
    if not waiting:
        return ""
    if snapshot.phase in ENDED:
        return "the run has ended: nothing more can be measured"
    return "measuring…"


def what_if(
    measured: Hindsight, width: int, height: int, glyphs: Glyphs = Glyphs.BRAILLE
) -> Picture:
    """Draw accuracy against momentum, and the other estimators below; in little room all as bars.

    Where not even these find room, those that matter most.
    """
    momenta = [name for name in measured.names if name[0].isdigit()]
    others = [name for name in measured.names if not name[0].isdigit()]
    words: Picture = [
        [(f" {line}", "faint")]
        for line in wrap(in_words(measured), max(8, width - 2), break_on_hyphens=False)
    ]
    below = [*bars(measured, others, width), [], *words]
    room = height - len(below)
    if width - AXIS - LEGEND < MOMENTUM_WIDTH * len(momenta) or room < BELOW_CURVE + 3:
        kept = kept_rows(measured, height - len(words))
        names = [name for name in (*momenta, *others) if name in kept]
        return [*bars(measured, names, width), *words]
    return [*curve(measured, width, room, glyphs), *below]


def curve(measured: Hindsight, width: int, height: int, glyphs: Glyphs = Glyphs.BRAILLE) -> Picture:
    """Draw accuracy, 0 to 1, against the constant momenta, evenly spaced by rank.

    Straight lines join the points: nothing in between was measured, and it is not monotonic.
    """
    columns, rows = width - AXIS - LEGEND, height - BELOW_CURVE
    names = [name for name in measured.names if name[0].isdigit()]
    values = np.array([accuracy(measured, name) for name in names])
    rank = np.arange(len(names), dtype=np.float64)
    low, high = -0.5, len(names) - 0.5
    own_x = rank_of(measured.momentum[0], [float(name) for name in names])
    own, fresh = float(measured.own[0]), float(measured.fresh[0])
    picture = chart(
        [
            Line("fresh", "fresh", _view([low, high], [fresh, fresh])),
            Line("this run", "running", _view([own_x], [own])),
            Line(f"at {label(names[-1])}", "plain", _view(rank, values)),
        ],
        width=width,
        height=rows + 1,
        x_low=low,
        x_high=high,
        y=UNIT,
        glyphs=glyphs,
    )[:rows]
    cells = [[(character, role) for text, role in row for character in text] for row in picture]
    across, up = DOTS[glyphs]

    def column(x: float) -> int:
        return AXIS + cell((x - low) / (high - low), columns, across)

    def point(x: float, y: float, glyph: str, role: str) -> None:
        cells[row_of(UNIT, y, rows, up)][column(x)] = (glyph, role)

    near = [close(measured, name) for name in names]
    for x, y, good in zip(rank, values, near, strict=True):
        point(x, y, "●" if good else "○", "good strong" if good else "strong")
    point(own_x, own, "■", "running strong")
    places = [column(x) for x in rank]
    marks = " " * column(own_x) + "▲ this run"
    if measured.momentum[0] not in [float(name) for name in names]:
        marks += f": {exact(measured.momentum[0])}"
    ticks = _placed([label(name) for name in names], places)
    return [
        *cells,
        [(f"{ticks:<{width - LEGEND}} momentum", "axis")],
        [(_placed([f"{value:.3f}".removeprefix("0") for value in values], places), "")],
        [(_placed(["√" if good else "" for good in near], places), "good")],
        [(marks, "running")],
        [],
    ]


def bars(measured: Hindsight, names: list[str], width: int) -> Picture:
    """Return a row with a bar for each of the estimators `names`."""
    size = max(1, width - NAME_WIDTH - LEGEND)
    own = own_row(measured)
    picture: Picture = []
    for name in names:
        value, good = accuracy(measured, name), close(measured, name)
        picture.append(
            [
                (f" {name:<{NAME_WIDTH - 1}}", ""),
                (bar(value, size), "good" if good else "plain"),
                (f" {value:.3f} ", ""),
                ("√" if good else " ", "good"),
                ("◂ this run" if name == own else "", "running"),
            ]
        )
    return picture


def in_words(measured: Hindsight) -> str:
    """Say which estimators are as good as fresh statistics."""
    good = [name for name in measured.names if close(measured, name)]
    fresh = f"{CLOSE:g} of fresh statistics' {measured.fresh[0]:.3f}"
    if not good:
        return f"nothing comes within {fresh}"
    momentum = "momentum " if good[0][0].isdigit() else ""
    return f"√ within {fresh}: {momentum}{', '.join(good)}"


def close(measured: Hindsight, name: str) -> bool:
    """Tell whether an estimator comes within `CLOSE` of fresh statistics, or beats them."""
    return float(measured.fresh[0]) - accuracy(measured, name) <= CLOSE + _FUZZ


def accuracy(measured: Hindsight, name: str) -> float:
    """Return the accuracy under one estimator."""
    return float(measured.accuracy[measured.names.index(name), 0])


def rank_of(momentum: float, ladder: list[float]) -> float:
    """Return a momentum's place among ascending ones: its rank, or halfway between two."""
    above = int(np.searchsorted(ladder, momentum))
    return float(above) if above < len(ladder) and ladder[above] == momentum else above - 0.5


def _view(x: Array | list[float], y: Array | list[float]) -> SeriesView:
    values = np.asarray(y, dtype=np.float64)
    return SeriesView(np.asarray(x, dtype=np.float64), values, values, values, ~np.isfinite(values))


def _placed(texts: list[str], columns: list[int]) -> str:
    """Write texts into one line, each centred on its column."""
    line = ""
    for text, column in zip(texts, columns, strict=True):
        line = line.ljust(column - len(text) // 2) + text
    return line
