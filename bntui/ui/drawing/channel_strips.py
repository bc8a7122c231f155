"""One layer's channels as pictures: strips of bars, the worst by number, what the error is made of.

Pure functions from numbers to `canvas.Picture`.
"""

import math

import numpy as np
import numpy.typing as npt

from bntui.core.measured import Channels, Floats
from bntui.core.scales import nice
from bntui.diagnose.health import factor
from bntui.ui.drawing.axes import AXIS
from bntui.ui.drawing.canvas import Picture, Row
from bntui.ui.terminal.glyphs import CELLS, DOTS, Glyphs

WIDEST_BAR = 6
"""Cells of one channel's bar at most, where there are few channels."""
TICK_SPACING = 6
"""Cells between two channel numbers, at least."""
NUMBERED = 8
"""Rows from which on a strip has room for channel numbers."""


def strip(
    what: str,
    values: Floats,
    channels: Channels,
    width: int,
    height: int,
    glyphs: Glyphs = Glyphs.BRAILLE,
    chosen: int | None = None,
    layer: str = "",
) -> Picture:
    """Draw a bar up or down for each channel, or the extreme of several where there are many.

    `values` are mean gaps ("mean") or log-variance ratios ("variance"). On the zero line ○ is a
    quiet channel, × one that is not finite; of several, if all are quiet, or if any is not finite.
    ◆ is the `chosen` channel's bar. The title has the name of the `layer`, if it is given.
    """
    numbered = height >= NUMBERED
    columns, arm = width - AXIS, (height - 2 - numbered) // 2
    if columns < 1 or arm < 1:
        return []
    each = -(-len(values) // columns)
    starts = np.arange(0, len(values), each)
    wide = min(WIDEST_BAR, columns // len(starts))
    finite = np.isfinite(values)
    tall = np.where(finite, values, 0.0)
    highest, lowest = np.maximum.reduceat(tall, starts), np.minimum.reduceat(tall, starts)
    extreme = np.where(highest >= -lowest, highest, lowest)
    scale, high, zero, low = _scale(what, float(np.abs(extreme).max()))
    share = np.clip(extreme / scale, -1.0, 1.0)  # what is off by e⁹⁹ or more has a full bar
    dots = np.rint(share * arm * DOTS[glyphs][1]).astype(np.intp)
    dots += (dots == 0) * np.sign(extreme).astype(np.intp)  # what is not zero shows

    broken = np.logical_or.reduceat(~finite, starts)
    quiet = np.logical_and.reduceat(channels.quiet == 1, starts) & ~broken
    line = np.where(broken, "×", np.where(quiet, "○", "─"))
    rows: Picture = [
        *([(_bars(dots, up, wide, glyphs), "running")] for up in range(arm - 1, -1, -1)),
        _zero_line("".join(str(mark) + "─" * (wide - 1) for mark in line), each, wide, chosen),
        *([(_bars(-dots, down, wide, glyphs, down=True), "running")] for down in range(arm)),
    ]
    ticks = [high, *[""] * (arm - 1), zero, *[""] * (arm - 1), low]
    how = "a channel a bar" if each == 1 else f"{each} channels a bar, extremes"
    title = "running mean − fresh mean, in σ" if what == "mean" else "running / fresh variance"
    picture: Picture = [
        [(f"{tick:>{AXIS - 2}} {'┤' if tick else '│'}", "axis"), *row]
        for tick, row in zip(ticks, rows, strict=True)
    ]
    if numbered:
        picture.append([(" " * AXIS + _numbers(len(starts), each, wide), "axis")])
    if layer:
        gap = "mean gap, in σ" if what == "mean" else "variance, running / fresh"
        title = f"{layer}: {gap}"
    return [
        rule(title, width, f"; {how}" if layer else f": {how}", f", 0 to {len(values) - 1}"),
        *picture,
    ]


def _zero_line(line: str, each: int, wide: int, chosen: int | None) -> Row:
    """Return the zero line with the chosen channel marked; None for none."""
    if chosen is None:
        return [(line, "axis")]
    at = chosen // each * wide
    return [(line[:at], "axis"), ("◆", "scrub strong"), (line[at + 1 :], "axis")]


def _numbers(bars: int, each: int, wide: int) -> str:
    """Return the numbers of the first channels of some bars, below these."""
    line = ""
    for bar in range(0, bars, int(nice(max(1.0, TICK_SPACING / wide)))):
        line = line.ljust(bar * wide) + str(bar * each)
    return line


def _scale(what: str, most: float) -> tuple[float, str, str, str]:
    """Return what a full bar stands for, and how to write it upwards, none, and downwards."""
    if what == "mean":
        scale = nice(max(most, 0.5))
        return scale, f"+{scale:g}", "0", f"-{scale:g}"
    times = nice(math.exp(min(max(most, math.log(2.0)), 99.0)))
    text = f"{times:g}" if times < 1000 else f"{times:.0e}".replace("e+0", "e").replace("e+", "e")
    return math.log(times), f"×{text}", "×1", f"÷{text}"


def _bars(
    dots: npt.NDArray[np.intp], row: int, wide: int, glyphs: Glyphs, *, down: bool = False
) -> str:
    """Return one row of bars of so many dots, `row` cells from the zero line."""
    up = DOTS[glyphs][1]
    filled = np.clip(dots - row * up, 0, up)
    bits = (1 << filled) - 1
    if down:
        bits = bits << (up - filled)
    if glyphs is Glyphs.ASCII:
        cells = np.where(filled > 0, "#", " ")
    else:
        cells = CELLS[glyphs][bits | bits << up]
    gap = " " * (wide > 1)
    return "".join(str(cell) * (wide - len(gap)) + gap for cell in cells)


def worst_first(channels: Channels) -> list[int]:
    """Return all channels, those that are furthest off first: by mean gap or log-variance ratio.

    Channels that are not finite come before all others.
    """
    mean, ratio = channels.mean_gap, channels.log_var_ratio
    finite = np.isfinite(mean) & np.isfinite(ratio)
    off = np.where(finite, np.maximum(np.abs(mean), np.abs(ratio)), np.inf)
    return [int(number) for number in np.argsort(-off, kind="stable")]


def worst(channels: Channels, width: int, height: int, chosen: int | None = None) -> Picture:
    """Say of the worst channels how far off they are, as many as fit; around the `chosen` one.

    ○ marks quiet ones, which put out little.
    """
    order, room = worst_first(channels), max(0, height - 1)
    place = order.index(chosen) if chosen is not None and chosen in order else 0
    first = max(0, min(place - room // 2, len(order) - room))
    shown = order[first : first + room]
    title = (
        "the worst channels"
        if not first
        else f"channels by how far they are off, from place {first + 1:,}"
    )
    rows: Picture = [rule(title, width, ", ○ quiet" * bool(channels.quiet[shown].any()))]
    for number in shown:
        role = "chosen" if number == chosen else "faint"
        quiet = " ○" * bool(channels.quiet[number])
        rows.append([(f" {number:>4}:", role), (f" {how_far(channels, number)}{quiet}", "")])
    return rows


def how_far(channels: Channels, number: int) -> str:
    """Say how far a channel's running statistics are from fresh ones."""
    mean, ratio = float(channels.mean_gap[number]), float(channels.log_var_ratio[number])
    if not (math.isfinite(mean) and math.isfinite(ratio)):
        return "not finite"
    side = "low" if mean < 0 else "high"
    return f"mean {abs(mean):.1f} σ too {side}, variance {factor(ratio)}"


def parts(channels: Channels, width: int) -> Picture:
    """Draw what of the error the start value makes, and what lag and noise do.

    Averages over finite channels of the parts' lengths along each channel's error: they sum to the
    mean absolute error exactly; a part that pulls the other way is negative. Means are in σ,
    variances in σ², the fresh variance.
    """
    variance = channels.variance_start.astype(np.float64) + channels.variance_rest
    rows: Picture = [rule("█ start + ░ lag and noise", width)]
    for name, unit, whole, start in (
        ("mean", "σ", channels.mean_gap, channels.mean_start),
        ("variance", "σ²", variance, channels.variance_start),
    ):
        total, left = split(whole, start)
        if math.isnan(total):
            rows += [[(f" {name}: no channel is finite", "faint")], []]
            continue
        decimals = max(0, 2 - len(f"{max(abs(total), abs(left)):.0f}") + 1)
        rest = round(total, decimals) - round(left, decimals)  # so that what is written adds up
        sign = "−" if rest < 0 else "+"
        shares = f"{left:.{decimals}f} {sign} {abs(rest):.{decimals}f}"
        room = max(1, width - 2)
        filled = round(room * abs(left) / max(abs(left) + abs(rest), 1e-9))
        rows += [
            [(f" {name} {total:.{decimals}f} {unit} = {shares}".replace("= -", "= −"), "")],
            [(" ", ""), ("█" * filled, "running"), ("░" * (room - filled), "fresh")],
        ]
    return rows


def split(whole: npt.NDArray[np.floating], start: Floats) -> tuple[float, float]:
    """Return the mean absolute error over finite channels, and the part that the start value makes."""
    finite = np.isfinite(whole) & np.isfinite(start)
    if not finite.any():
        return math.nan, math.nan
    total = np.abs(whole[finite]).mean(dtype=np.float64)
    return float(total), float((np.sign(whole) * start)[finite].mean(dtype=np.float64))


def rule(title: str, width: int, *more: str) -> Row:
    """Return a title on a line across, with as many of the parts that follow as there is room for."""
    for part in more:
        if len(title) + len(part) > width - 4:
            break
        title += part
    return [("─ ", "axis"), (title, "faint"), (f" {'─' * (width - len(title) - 3)}", "axis")]
