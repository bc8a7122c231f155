"""Pictures of numbers as text: whole charts, sparklines and bars.

Pure functions from numbers to `canvas.Picture`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from bntui.core.scales import YRange
from bntui.ui.drawing.axes import AXIS, LABELS, row_of, x_axis, y_axis
from bntui.ui.drawing.gap import Gap
from bntui.ui.drawing.legend import LEGEND, legend
from bntui.ui.drawing.marks import Flag
from bntui.ui.drawing.plot import Line, plot
from bntui.ui.drawing.view import Axis
from bntui.ui.terminal.glyphs import DOTS, Glyphs

if TYPE_CHECKING:  # for its types only: nothing here needs Textual
    from bntui.ui.drawing.canvas import Picture


def chart(
    lines: Sequence[Line],
    *,
    width: int,
    height: int,
    x_low: float,
    x_high: float,
    y: YRange,
    flags: Sequence[Flag] = (),
    axis: Axis = Axis.UPDATES,
    cursor: float | None = None,
    glyphs: Glyphs = Glyphs.BRAILLE,
    gap: Gap | None = None,
) -> Picture:
    """Draw a whole chart: y axis, plot, each line's value and name, and the x axis below.

    All x are in the unit of `axis`. Values are those at the `cursor`, if there is one, else where
    x ends.
    """
    columns, rows = width - AXIS - LEGEND, height - 1
    if columns < 1 or rows < 1:
        return []
    across, up = DOTS[glyphs]
    dots = plot(
        lines,
        width=columns,
        height=rows,
        x_low=x_low,
        x_high=x_high,
        y=y,
        cursor=cursor,
        glyphs=glyphs,
        gap=gap,
    )
    names = legend(
        lines,
        rows=rows,
        x=x_high if cursor is None else cursor,
        x_high=x_high,
        row_of=partial(row_of, y, rows=rows, up=up),
    )
    picture = [
        [(tick, "axis"), *cells, *name]
        for tick, cells, name in zip(y_axis(y, rows, up), dots, names, strict=True)
    ]
    below = x_axis(columns, x_low, x_high, axis, flags, across)
    return [*picture, [(" " * AXIS, ""), *below, (f" {LABELS[axis]}", "axis")]]


def position_at(column: int, width: int, x_low: float, x_high: float) -> float | None:
    """Return the x in the middle of a column of a chart `width` cells wide; None beside the plot."""
    columns = width - AXIS - LEGEND
    place = column - AXIS
    return x_low + (place + 0.5) / columns * (x_high - x_low) if 0 <= place < columns else None


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw the last `width` values between their own extremes; NaN and infinities are dots."""
    blocks = "▁▂▃▄▅▆▇█"
    shown = values[-width:] if width > 0 else ()
    finite = [value for value in shown if math.isfinite(value)]
    low, span = min(finite, default=0.0), max(finite, default=0.0) - min(finite, default=0.0)
    return "".join(
        blocks[round(7 * (value - low) / span) if span else 3] if math.isfinite(value) else "·"
        for value in shown
    ).ljust(width)


def bar(fraction: float, width: int) -> str:
    """Draw a bar of `fraction` × `width` cells, to an eighth of a cell; a dot for NaN."""
    if math.isnan(fraction):
        return "·".ljust(width)
    eighths = round(min(max(fraction, 0.0), 1.0) * width * 8)
    return ("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8]).rstrip().ljust(width)
