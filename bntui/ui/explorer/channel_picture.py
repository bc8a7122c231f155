"""One channel of a BN layer as text with its own numbers in it, and as two bells. Pure functions."""

import math

import numpy as np

from bntui.core.cells import wrapped
from bntui.core.measured import ChannelValues, LayerDrift, Validation
from bntui.core.scales import YRange
from bntui.core.series import SeriesView
from bntui.core.text import exact
from bntui.diagnose.arithmetic import (
    Normalising,
    in_numbers,
    mean_move,
    normalising,
    output_in_numbers,
    plain,
    start_in_numbers,
    variance_move,
)
from bntui.diagnose.health import factor
from bntui.ui.drawing.canvas import Picture, Span
from bntui.ui.drawing.channel_strips import how_far, rule
from bntui.ui.drawing.plot import Line, plot
from bntui.ui.explorer.layer_picture import beside
from bntui.ui.terminal.glyphs import Glyphs

BELL_ROWS = 7
"""Rows of the bells with their title and the means, at least."""
TEXT_WIDTH = 76
"""Cells of the text where the bells stand beside it."""
BELLS_WIDTH = 36
"""Cells of the bells there, at least."""
DEVIATIONS = 3.0
"""How far the bells are drawn on both sides, in standard deviations."""


def picture(
    validation: Validation,
    index: int,
    channel: int,
    width: int,
    height: int,
    glyphs: Glyphs,
    *,
    watched: bool = False,
) -> Picture:
    """Draw one channel: how its statistics moved, what is left of their start, what they do.

    A `watched` model may have begun with statistics of an earlier training.
    The bells stand below where there is room, else on the right. In little room only the numbers do.
    """
    layer = validation.layers[index]
    values = layer.detail.values
    where = f"   channel {channel} of layer {index + 1}, update {validation.update:,}"
    top: Picture = [[(f" {layer.name}", "strong"), (where, "")]]
    if values is None or not channel < values.running.shape[1]:
        return [*top, [(" the numbers of single channels were not kept of this moment", "faint")]]
    found = normalising(values, channel)
    text = _text(layer, values, channel, validation.update, width, watched=watched)
    below = height - 1 - len(text)
    if below >= BELL_ROWS:
        return [*top, *text, *bells(found, width, below, glyphs)]
    if width < TEXT_WIDTH + BELLS_WIDTH:
        if below < 0:
            text = _text(
                layer, values, channel, validation.update, width, watched=watched, brief=True
            )
        return [*top, *_without_titles(text, height - 1)]
    text = _text(layer, values, channel, validation.update, TEXT_WIDTH, watched=watched)
    drawn = bells(found, width - TEXT_WIDTH, height - 1, glyphs)
    return [*top, *beside(text, drawn, TEXT_WIDTH)]


def _text(
    layer: LayerDrift,
    values: ChannelValues,
    channel: int,
    update: int,
    width: int,
    *,
    watched: bool,
    brief: bool = False,
) -> Picture:
    """Return the arithmetic of a channel in words and numbers; `brief` without the general formulas."""
    found, move = normalising(values, channel), mean_move(values, channel)
    mean, variance = in_numbers("r", move), in_numbers("v", variance_move(values, channel))
    kept = exact(round(values.kept, 6)) if math.isfinite(values.kept) else "kept"
    moved: list[Span] = [
        (f"running mean r ← {kept}·r + (1 − {kept})·(this batch's mean)", "faint"),
        (mean, "running"),
        ("running variance v: the same with this batch's variance", "faint"),
        (variance, "running"),
    ]
    if not mean or not variance:
        moved = [("no update has moved these statistics yet, or not since they were replaced", "")]
    began = "what r and v began with" if watched else "r began at 0 and v at 1"
    start = (f"{began}: {start_in_numbers(layer, update)} of that is left", "")
    beside_fresh = rule(
        "running beside fresh statistics", width, f": {how_far(layer.detail, channel)}"
    )
    points: list[tuple[float, str]] = [
        (found.fresh[0], "the fresh mean"),
        (_one_sigma(found), "one σ above it"),
    ]
    if brief:
        moved, points = [*moved[1::2], start] if mean and variance else [*moved, start], points[:1]
    return [
        *_section("the last update of the running statistics", moved, width),
        *([] if brief else _section("the start value", [start], width)),
        *([] if brief else [beside_fresh]),
        *_table(found, width),
        rule("in validation: ŷ = γ·(x − μ)/√(σ² + ε) + β", width),
        *(row for x, name in points for row in _outputs(found, x, name, width)),
    ]


def _without_titles(rows: Picture, height: int) -> Picture:
    """Leave out as many titles, the last first, as it takes to have room for all numbers."""
    kept = list(rows)
    for row in reversed([row for row in rows if row[0][0].startswith("─")]):
        if len(kept) > height:
            kept.remove(row)
    return kept


def _section(title: str, lines: list[Span], width: int) -> Picture:
    """Return lines under a title, wrapped."""
    rows: Picture = [rule(title, width)]
    for text, role in lines:
        rows += [[(f" {line}", role)] for line in wrapped(text, max(8, width - 2))]
    return rows


def _table(found: Normalising, width: int) -> Picture:
    """Return mean and variance of both statistics, and how far they are apart."""
    (mean, variance), (fresh_mean, fresh_variance) = found.running, found.fresh
    sigma = math.sqrt(max(0.0, fresh_variance + found.epsilon))
    gap = (mean - fresh_mean) / sigma if sigma > 0.0 else math.nan
    ratio = (variance + found.epsilon) / sigma**2 if sigma > 0.0 else math.nan
    apart = f"{gap:+.1f} σ" if math.isfinite(gap) else "–"
    times = factor(math.log(ratio)) if ratio > 0.0 and math.isfinite(ratio) else "–"
    size = min(14, max(8, (width - 11) // 3))
    rows: Picture = [[(f" {'':<10}{'running':>{size}}{'fresh':>{size}}{'apart':>{size}}", "faint")]]
    for name, one, other, words in (
        ("mean", mean, fresh_mean, apart),
        ("variance", variance, fresh_variance, times),
    ):
        rows.append(
            [
                (f" {name:<10}", "faint"),
                (f"{_written(one):>{size}}", "running"),
                (f"{_written(other):>{size}}", "fresh"),
                (f"{words.replace('-', '−'):>{size}}", ""),
            ]
        )
    return rows


def _outputs(found: Normalising, x: float, name: str, width: int) -> Picture:
    """Return what a value becomes under running and under fresh statistics."""
    rows: Picture = [[(f" x = {_written(x)}, {name}, becomes", "faint")]]
    for which, fresh in (("running", False), ("fresh", True)):
        told = output_in_numbers(found, x, fresh=fresh) or "not finite"
        for number, line in enumerate(wrapped(told, max(8, width - 12))):
            rows.append([(f" {'' if number else which:<9}", which), (line, which)])
    return rows


def bells(found: Normalising, width: int, height: int, glyphs: Glyphs) -> Picture:
    """Draw the Gaussian that is remembered beside that of fresh statistics, each to full height.

    Below them stand the two means. Nothing is drawn of what is not finite.
    """
    both = [
        (mean, math.sqrt(max(0.0, variance))) for mean, variance in (found.running, found.fresh)
    ]
    if height < BELL_ROWS or width < 12 or not np.isfinite(both).all():
        return []
    low = min(mean - DEVIATIONS * sigma for mean, sigma in both)
    high = max(mean + DEVIATIONS * sigma for mean, sigma in both)
    if high <= low:
        return []
    rows, columns = height - 3, width - 2
    lines = [
        Line(name, name, _bell(mean, sigma, low, high, 4 * columns))
        for name, (mean, sigma) in zip(("running", "fresh"), both, strict=True)
    ]
    drawn = plot(
        lines,
        width=columns,
        height=rows,
        x_low=low,
        x_high=high,
        y=YRange(0.0, 1.0),
        glyphs=glyphs,
    )
    places = [round((mean - low) / (high - low) * (columns - 1)) for mean, _ in both]
    marks = [
        _mark(f"running mean {_written(both[0][0])}", places[0], columns, "running"),
        _mark(f"fresh mean {_written(both[1][0])}", places[1], columns, "fresh"),
    ]
    title = "what is remembered of this channel, and what it is"
    return [rule("two bells", width) if width < 54 else rule(title, width), *drawn, *marks]


def _bell(mean: float, sigma: float, low: float, high: float, points: int) -> SeriesView:
    """Return a Gaussian to a height of 1, as a line; a narrow one has its peak all the same."""
    sigma = max(sigma, (high - low) / points)
    x = np.unique(np.append(np.linspace(low, high, points), mean))
    y = np.exp(-0.5 * ((x - mean) / sigma) ** 2)
    return SeriesView(x, y, y, y, np.zeros(len(x), dtype=np.bool_))


def _mark(text: str, place: int, width: int, role: str) -> list[Span]:
    """Return an arrow under a place with a text beside it, on the side that has room."""
    if place + 2 + len(text) <= width:
        return [(f"{' ' * place}▲ {text}", role)]
    left = f"{text} ▲"
    return [(f"{' ' * (place + 1 - len(left))}{left}", role)]


def _one_sigma(found: Normalising) -> float:
    mean, variance = found.fresh
    return mean + math.sqrt(variance) if variance >= 0.0 else math.nan


def _written(value: float) -> str:
    """Write a statistic in a few digits."""
    return plain(value, 4).replace("-", "−") if math.isfinite(value) else "not finite"
