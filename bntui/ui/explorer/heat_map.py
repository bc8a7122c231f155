"""The map "every momentum, in hindsight" as a picture. Pure functions from looks to `canvas.Picture`."""

from itertools import groupby
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from bntui.core.series import Array
from bntui.ui.drawing.axes import AXIS
from bntui.ui.drawing.canvas import Picture, Row
from bntui.ui.drawing.legend import LEGEND
from bntui.ui.drawing.ramp import HEAT, SOLID, levels
from bntui.ui.explorer.looks import OWN_ROW, Looks, is_momentum, written

OWN = "running strong"
"""The role of what frames the run's own row: the colour of its running statistics on the charts."""
FRAME = {False: ("▐", "▌"), True: ("[", "]")}
"""What stands before and behind the cells of the run's own row; the second where there is only ASCII."""
POINTER = "◆"
"""What shows in the chosen cell where shades are solid, and reversing one would hide it."""


def heat_map(
    looks: Looks,
    places: Array,
    ends: Array,
    *,
    width: int,
    height: int,
    x: tuple[float, float],
    cursor: float | None = None,
    row: str = "",
    ramp: str = SOLID,
    across: int = 2,
) -> Picture:
    """Draw as many rows as fit into `height`, with the margins of `charts.chart`.

    `places` is where the looks (n,) lie on the x axis, and `ends` up to where each of them stands for
    the time after it. `ramp` has a character for each shade. A column shows the last look up to its
    end, so that no look to come changes a column that has one. Values on the right are those at
    `cursor` (None: of the newest look), where the cell of `row` is highlighted.
    """
    columns = width - AXIS - LEGEND
    if columns < 1 or height < 1:
        return []
    look = looks_in(places, ends, x, columns, across)
    here = places[-1] if cursor is None else cursor
    chosen = int(_columns(np.array([here]), x, columns, across)[0])
    read = int(np.searchsorted(places, here, side="right")) - 1
    own = looks.own_row
    return [
        _row(looks, name, look, read, chosen if name == row else None, name == own, ramp)
        for name in looks.kept(height, row)
    ]


def looks_in(
    places: Array, ends: Array, x: tuple[float, float], columns: int, across: int = 2
) -> npt.NDArray[np.intp]:
    """Return the look that each column shows, −1 where none was made in its time."""
    at, until = (_columns(each, x, columns, across) for each in (places, ends))
    column = np.arange(columns)
    look = np.searchsorted(at, column, side="right") - 1
    look[column > until[look]] = -1
    return look


def update_at(column: int, x: tuple[float, float], columns: int, across: int = 2) -> float:
    """Return the x at the end of a column: what `looks_in` takes for it is the last look up to there."""
    low, high = x
    return low + (high - low) * (across * (column + 1) - 0.5) / max(1, across * columns - 1)


def _row(
    looks: Looks,
    name: str,
    look: npt.NDArray[np.intp],
    read: int,
    cursor: int | None,
    own: bool,
    ramp: str,
) -> Row:
    """Draw one row: its name, a shade for each column's look, the value; the run's own in a frame."""
    values, mark = looks.row(name), " cursor" * (cursor is not None)
    begin, end = FRAME[ramp.isascii()]
    label = looks.label(name) if is_momentum(name) else "run" if name == OWN_ROW else ""
    value = written(values[read]) if read >= 0 else "–"
    strong = OWN if own else ""
    return [
        (f"{label + ' ':>{AXIS - 1}.{AXIS - 1}}", f"{strong or 'axis'}{mark * bool(label)}"),
        (begin if own else "│", strong or "axis"),
        *_shades(looks.goodness(values), look, cursor, ramp),
        (end if own else " ", strong),
        (named(name, f"{value:>5}", LEGEND - 1, own=own), f"{strong}{mark * (not label)}".strip()),
    ]


def named(name: str, value: str, room: int, *, own: bool) -> str:
    """Return what stands on the right of a row: its value, and its name where the left has no room."""
    if is_momentum(name) or name == OWN_ROW:
        return f"{value} ◂ this run" if own else value
    texts = [f"{value} {name}", name]
    if own:
        texts = [f"{value} {name} ◂ this run", f"{value} {name} ◂", f"{name} ◂"]
    return next((text for text in texts if len(text) <= room), texts[-1])


def _columns(
    places: Array, x: tuple[float, float], columns: int, across: int
) -> npt.NDArray[np.intp]:
    """Return the columns that positions on the x axis lie in: `glyphs.cell` for many."""
    low, high = x
    return np.rint((places - low) / (high - low) * (across * columns - 1)).astype(np.intp) // across


def _shades(values: Array, look: npt.NDArray[np.intp], cursor: int | None, ramp: str) -> Row:
    """Draw the shade of each column's look (−1: none)."""
    level = levels(values, len(ramp)).tolist()

    def cell(column: int, index: int) -> tuple[str, str]:
        missing = index < 0 or np.isnan(values[index])
        text, role = (" ", "") if missing else (ramp[level[index]], f"{HEAT}{level[index]}")
        if column != cursor:
            return text, role
        return POINTER if ramp == SOLID and not missing else text, f"{role} cursor".strip()

    cells = [cell(column, index) for column, index in enumerate(look.tolist())]
    return [("".join(text for text, _ in run), role) for role, run in groupby(cells, itemgetter(1))]
