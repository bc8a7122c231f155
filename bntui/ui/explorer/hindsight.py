"""The map "every momentum, in hindsight": updates across, estimators down, accuracy as shades."""

from itertools import groupby
from operator import itemgetter
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from textual.binding import BindingType
from textual.message import Message

from bntui.core.config import RunConfig
from bntui.core.estimators import short
from bntui.core.measured import Hindsight
from bntui.core.series import Array
from bntui.core.snapshot import Snapshot
from bntui.core.text import exact
from bntui.ui import key_lines
from bntui.ui.drawing.axes import AXIS, LABELS, x_axis
from bntui.ui.drawing.canvas import Picture, Row
from bntui.ui.drawing.legend import LEGEND
from bntui.ui.drawing.marks import flags
from bntui.ui.drawing.view import View, x_of
from bntui.ui.explorer.drift import waiting_for
from bntui.ui.key_lines import Shown
from bntui.ui.terminal.glyphs import DOTS, Glyphs
from bntui.ui.widgets.focus_canvas import FocusCanvas

TITLE = "every momentum, in hindsight"
OWN_ROW = "this run"
"""The row of the run's own statistics. It is drawn only where no estimator's is the same."""
WHOLE = View()
BOUNDS = (0.2, 0.5, 0.8, 0.9)
"""The accuracies at which one shade ends and the next begins."""
RAMP, ASCII_RAMP = "·░▒▓█", ".:+%#"
HEAT = tuple(f"heat-{level}" for level in range(len(RAMP)))
_FIRST = ("0.9", "bias-corrected", "0.99", "0.999", "0", "0.95", "warm-up", "0.98", "0.5")
"""Which rows to keep where there is no room for all; the run's own comes before them."""


class HindsightMap(FocusCanvas):
    """One row an estimator; ↑ and ↓ choose the one that the line below the map reads."""

    BORDER_TITLE = TITLE
    hint = "↑ ↓ choose a momentum, ← → a moment; enter: what if, for these weights; tab goes on"
    shown_keys = (Shown("↑ ↓", "momentum"), Shown("← →", "moment"), Shown("enter", "what if"))
    BINDINGS: ClassVar[list[BindingType]] = [*key_lines.HINDSIGHT_MAP]
    COMPONENT_CLASSES = {f"canvas--{role}" for role in (*HEAT, "cursor")}
    # From blue to yellow, evenly brighter (on a light ground darker): safe for colour-blind eyes.
    DEFAULT_CSS = """
    HindsightMap {
        & > .canvas--heat-0 { color: #8a94ac; }
        & > .canvas--heat-1 { color: #86b2ff; }
        & > .canvas--heat-2 { color: #8ccbb4; }
        & > .canvas--heat-3 { color: #d6cb62; }
        & > .canvas--heat-4 { color: #f0e442; }
        &:light > .canvas--heat-0 { color: #6a6a6a; }
        &:light > .canvas--heat-1 { color: #8a7a2e; }
        &:light > .canvas--heat-2 { color: #5f7a5c; }
        &:light > .canvas--heat-3 { color: #35609c; }
        &:light > .canvas--heat-4 { color: #00224e; }
        & > .canvas--cursor { text-style: reverse; }
    }
    """

    class Opened(Message):
        """The user wants to see every momentum for the weights at hand."""

    row = "0.9"
    """The estimator that is read: one of the map's names, or `OWN_ROW`."""

    _snapshot = Snapshot()
    _view = WHOLE
    _x = WHOLE.sight(0.0, None)

    def show(
        self,
        snapshot: Snapshot,
        *,
        view: View = WHOLE,
        end: float = 0.0,
        planned: float | None = None,
    ) -> None:
        """Show `snapshot`'s map over what `view` has in sight, as the charts do.

        `end` is how far the longest line on the charts goes, in the unit of the view's axis, if
        that is further than the run; `planned` where they end (see `view.planned_end`).
        """
        clock = snapshot.series.get(view.axis)
        self._snapshot, self._view = snapshot, view
        end = max(end, float(x_of(snapshot.update, clock)))
        self._x = view.sight(end, clock, planned)
        share = f" · measuring {snapshot.observed_share:.0%}" if snapshot.update else ""
        hindsight = snapshot.hindsight
        sample = f"{hindsight.images:,} images" if hindsight else "accuracy"
        self.retitle(f"{TITLE}, {sample} {key(self._ramp)}{share}")
        self.repaint()

    def action_move(self, by: int) -> None:
        """Read the next row up (−1) or down (1) that is on the map; beyond its ends, leave it."""
        hindsight = self._snapshot.hindsight
        shown = kept_rows(hindsight, self.size.height - 2) if hindsight else []
        row = self.next_row(shown, self.row, by)
        if row is not None:
            self.row = row
            self.repaint()

    def action_open(self) -> None:
        """Open the what-if."""
        self.post_message(self.Opened())

    def draw(self, width: int, height: int) -> Picture:
        """Return the map and the reading below it; or a line saying what it waits for."""
        snapshot, hindsight = self._snapshot, self._snapshot.hindsight
        if reason := why_no_hindsight(snapshot.config):
            return [[(f" {reason}", "faint")]]
        if hindsight is None:
            return waiting_for("the first look back", snapshot)
        view, clock = self._view, snapshot.series.get(self._view.axis)
        update = view.window[1] if view.cursor is None and view.window else view.cursor
        across = DOTS[self.glyphs][0]
        picture = heat_map(
            hindsight,
            x_of(hindsight.updates, clock),
            width=width,
            height=height - 2,
            x=self._x,
            cursor=None if update is None else float(x_of(update, clock)),
            row=self.row if self.has_focus or view.cursor is not None else "",
            ramp=self._ramp,
            across=across,
        )
        columns = width - AXIS - LEGEND
        if columns > 0:
            below = x_axis(columns, *self._x, view.axis, flags(snapshot.marks, clock), across)
            picture.append([(" " * AXIS, ""), *below, (f" {LABELS[view.axis]}", "axis")])
        return [*picture, [(f" {reading(hindsight, update, self.row)}", "faint")]]

    @property
    def _ramp(self) -> str:
        return ASCII_RAMP if self.glyphs is Glyphs.ASCII else RAMP


def why_no_hindsight(config: RunConfig) -> str:
    """Return why one run can't tell of every momentum; nothing if it can."""
    if not config.has_statistics:
        return "this network has no batch norm: momentum changes nothing"
    if not config.has_hindsight:
        return "batch renorm trains with its running statistics: another momentum, another run (t)"
    return ""


def heat_map(
    hindsight: Hindsight,
    places: Array,
    *,
    width: int,
    height: int,
    x: tuple[float, float],
    cursor: float | None = None,
    row: str = "",
    ramp: str = RAMP,
    across: int = 2,
) -> Picture:
    """Draw as many rows as fit into `height`, with the margins of `charts.chart`.

    `places` is where the moments (n,) lie on the x axis. A column shows the last moment up to its
    end, so that no moment to come changes any column but the newest. Values on the right are those
    at `cursor` (None: at the newest moment), where the cell of `row` is highlighted.
    """
    columns = width - AXIS - LEGEND
    if columns < 1 or height < 1:
        return []
    at = _columns(places, x, columns, across)
    moment = np.searchsorted(at, np.arange(columns), side="right") - 1
    moment[np.arange(columns) > at[-1]] = -1
    here = places[-1] if cursor is None else cursor
    chosen = int(_columns(np.array([here]), x, columns, across)[0])
    read = int(np.searchsorted(places, here, side="right")) - 1
    own = own_row(hindsight)
    picture = []
    for name in kept_rows(hindsight, height):
        values = accuracies(hindsight, name)
        strong, reverse = "strong" * (name == own), " cursor" * (name == row)
        picture.append(
            [
                (f"{label(name) + ' ':>{AXIS - 1}.{AXIS - 1}}", (strong or "axis") + reverse),
                ("│", "axis"),
                *_shades(values, moment, chosen if name == row else -1, ramp),
                (f" {values[read]:.3f}" if read >= 0 else "     –", strong),
                (" ◂ this run" if name == own else "", strong),
            ]
        )
    return picture


def reading(hindsight: Hindsight, update: float | None, row: str) -> str:
    """Read one cell in words: the last moment up to `update` (None: the newest) under `row`."""
    moment = len(hindsight.updates) - 1
    if update is not None:
        moment = int(np.searchsorted(hindsight.updates, update, side="right")) - 1
    if moment < 0:
        return f"nothing was measured before update {hindsight.updates[0]:.0f}"
    own = f"this run's {exact(hindsight.momentum[moment])}: {hindsight.own[moment]:.3f}"
    at = f"update {hindsight.updates[moment]:.0f}"
    if row not in hindsight.names:
        return f"{at}, {own}; fresh statistics: {hindsight.fresh[moment]:.3f}"
    name = f"momentum {row}" if row[0].isdigit() else row
    return f"{at}, {name}: {accuracies(hindsight, row)[moment]:.3f}; {own}"


def kept_rows(hindsight: Hindsight, most: int) -> list[str]:
    """Return the rows to show, at most so many: from high momenta down to 0, then the others.

    The run's own is always among them, and on top if it is none of the estimators'.
    """
    own = own_row(hindsight)
    momenta = sorted((n for n in hindsight.names if n[0].isdigit()), key=float, reverse=True)
    others = [name for name in hindsight.names if not name[0].isdigit()]
    every = [*([OWN_ROW] if own == OWN_ROW else []), *momenta, *others]
    first = [own, *_FIRST]
    ranked = sorted(every, key=lambda name: first.index(name) if name in first else len(first))
    kept = ranked[: max(1, most)]
    return [name for name in every if name in kept]


def own_row(hindsight: Hindsight) -> str:
    """Return the constant momentum whose statistics the run has had all along, else `OWN_ROW`.

    After a live change of momentum, or a recalibration, no estimator has the same.
    """
    name = exact(hindsight.momentum[-1])
    same = name in hindsight.names and np.array_equal(accuracies(hindsight, name), hindsight.own)
    return name if same else OWN_ROW


def accuracies(hindsight: Hindsight, row: str) -> Array:
    """Return the accuracy of every moment (n,) under one row."""
    return hindsight.own if row == OWN_ROW else hindsight.accuracy[hindsight.names.index(row)]


def label(row: str) -> str:
    """Return a row's name in at most five characters: .999, b-cor, run."""
    return "run" if row == OWN_ROW else short(row)


def key(ramp: str = RAMP) -> str:
    """Return the shades, and between them the accuracies at which they change."""
    bounds = (f" {bound:g} ".replace("0.", ".") for bound in BOUNDS)
    return ramp[0] + "".join(bound + shade for bound, shade in zip(bounds, ramp[1:], strict=True))


def _columns(
    places: Array, x: tuple[float, float], columns: int, across: int
) -> npt.NDArray[np.intp]:
    """Return the columns that positions on the x axis lie in: `glyphs.cell` for many."""
    low, high = x
    return np.rint((places - low) / (high - low) * (across * columns - 1)).astype(np.intp) // across


def _shades(values: Array, moment: npt.NDArray[np.intp], cursor: int, ramp: str) -> Row:
    """Draw one row: the shade of each column's moment (−1: none)."""
    levels = np.searchsorted(BOUNDS, values, side="right").tolist()

    def cell(column: int, index: int) -> tuple[str, str]:
        text, role = (ramp[levels[index]], HEAT[levels[index]]) if index >= 0 else (" ", "")
        return text, f"{role} cursor".strip() if column == cursor else role

    cells = [cell(column, index) for column, index in enumerate(moment.tolist())]
    return [("".join(text for text, _ in run), role) for role, run in groupby(cells, itemgetter(1))]
