"""One BN layer as a picture: every channel's running statistics against fresh ones. Pure functions."""

import math
from dataclasses import dataclass

from bntui.core.cells import wrapped
from bntui.core.measured import LayerDrift, Validation
from bntui.core.scales import extent, settled
from bntui.core.series import Series, SeriesView
from bntui.core.snapshot import Snapshot
from bntui.core.text import exact, percent
from bntui.core.watched_words import momentum_words
from bntui.diagnose.health import exchanged, forecasts, health, in_updates
from bntui.ui.drawing.axes import AXIS, y_axis
from bntui.ui.drawing.canvas import Picture, fitted
from bntui.ui.drawing.channel_strips import parts, rule, strip, worst
from bntui.ui.drawing.plot import Line, plot
from bntui.ui.drawing.view import FOLLOWING, Axis, planned_end
from bntui.ui.explorer.drift_rows import HEALTH_SIGNS
from bntui.ui.terminal.glyphs import DOTS, Glyphs

LEAST_STRIP = 4
"""Rows of a strip of channels."""
BELOW = 8
"""Rows for the worst channels, and for the split and the history beside them, at least."""
WORST_WIDTH = 48
"""Cells of " 3135: mean 11.2 σ too high, variance ×14.2 ○ "."""
NARROWEST_BESIDE = 32
"""Cells below which there is nothing beside them: " variance 2.45 σ² = 2.47 − 0.02" must fit."""
TWO_HISTORIES = 8
"""Rows from which on there are two histories, and not that of the variance alone."""
EMPTY = Series(2).view()


@dataclass(frozen=True, slots=True)
class LayerShown:
    """Which layer is shown, and as of when."""

    snapshot: Snapshot
    validation: Validation
    index: int
    """The layer's place in the network."""
    channel: int | None = None
    """The channel that is chosen."""
    past: bool = False
    """Whether it is a moment of the past, of which only the validation is known."""

    @property
    def layer(self) -> LayerDrift:
        """What was found of the layer."""
        return self.validation.layers[self.index]


def picture(shown: LayerShown, width: int, height: int, glyphs: Glyphs = Glyphs.BRAILLE) -> Picture:
    """Draw a layer: words, two strips of channels; below worst channels, split, history.

    What finds no room is left out: first what is below on the right, or the strips.
    """
    top = header(shown, width)
    return [*top, *channels(shown, width, height - len(top), glyphs)]


def channels(
    shown: LayerShown,
    width: int,
    height: int,
    glyphs: Glyphs = Glyphs.BRAILLE,
    *,
    named: bool = False,
) -> Picture:
    """Draw a layer's channels: two strips, or the variance's; below them worst channels, split, history.

    `named`, the strips have the layer's name.
    """
    layer, channel = shown.layer, shown.channel
    name = layer.name if named else ""
    below = max(BELOW, height // 2) if height >= 2 * BELOW or not named else 0
    rows = height - below
    above = rows // 2 if rows >= 2 * LEAST_STRIP else 0
    means, ratios, detail = layer.detail.mean_gap, layer.detail.log_var_ratio, layer.detail
    strips = [
        *strip("mean", means, detail, width, above, glyphs, channel, name),
        *strip("variance", ratios, detail, width, rows - above, glyphs, channel, name),
    ]
    below = height - len(strips) if below else 0
    room = width - WORST_WIDTH
    if room < NARROWEST_BESIDE:
        left, right = worst(detail, width, below, channel) if below else [], []
    else:
        left = worst(detail, WORST_WIDTH - 1, below, channel) if below else []
        split = parts(detail, room) if below else []
        past = history(shown.snapshot, layer.name, room, below - len(split), glyphs)
        right = [*split, *past]
    return [*strips, *beside(left, right, min(WORST_WIDTH, width))]


def header(shown: LayerShown, width: int) -> Picture:
    """Say which layer it is, its health, the forecast, and the error of its and the network's output.

    Lines that are longer than `width` are wrapped.
    """
    layer, snapshot, validation = shown.layer, shown.snapshot, shown.validation
    mark, role = HEALTH_SIGNS[health(layer, exchanged(snapshot).get(layer.name))]
    place = (
        f"   layer {shown.index + 1} of {len(validation.layers)}, update {validation.update:,}   "
    )
    said = [
        *_counted(shown),
        *([] if shown.past else [outlook(layer, snapshot)]),
        *channels_alone(layer, snapshot),
        *_errors(layer),
    ]
    return [
        [(f" {layer.name}", "strong"), (place, ""), *([] if shown.past else [(mark, role)])],
        *([(f" {line}", "")] for words in said for line in wrapped(words, max(8, width - 1))),
    ]


def _errors(layer: LayerDrift) -> list[str]:
    """Say how far the layer's output and the network's are off; nothing where that was not measured."""
    if math.isnan(layer.output_error) or math.isnan(layer.network_error):
        return []
    return [
        f"output error {layer.output_error:.2f} alone · network error "
        f"{percent(layer.network_error)}, all earlier layers stale too"
    ]


def _counted(shown: LayerShown) -> list[str]:
    """Say how many channels and values there are, and how the statistics are made."""
    layer, knobs, watched = shown.layer, shown.snapshot.knobs, shown.snapshot.watched
    count = f"{layer.channels:,} channels: {layer.quiet} quiet, {layer.non_finite} not finite"
    left = f"{percent(layer.start_left)} of the start value left"
    if watched and not shown.past:
        return [count, f"momentum {momentum_words(watched)} · {left}"]
    if shown.past:
        return [f"{count} · {left}"]
    images, how = knobs.batch_size, f"momentum {exact(knobs.momentum)}"
    if knobs.estimator != "momentum":
        how += f", {knobs.estimator}"
    values = f"{layer.positions * images:,} values each per batch"
    return [f"{count} · {layer.positions} × {images} = {values}", f"{how} · {left}"]


def outlook(layer: LayerDrift, snapshot: Snapshot) -> str:
    """Say in words what the layer alone does, and when it will do no harm."""
    if layer.non_finite:
        return "not finite: statistics that are NaN stay NaN"
    exchange = exchanged(snapshot).get(layer.name)
    if exchange is None and snapshot.watched:
        return "what it alone does to validation is not measured by watching"
    if exchange is None or snapshot.exchanges is None:
        return "what it alone does to validation is not measured yet"
    alone, images = exchange.alone, snapshot.exchanges.images
    told = (
        f"alone {alone.accuracy:+.3f} accuracy, {alone.loss:+.2f} loss ({images:,} images, "
        f"update {snapshot.exchanges.update:,})"
    )
    ahead = forecasts(snapshot).get(layer.name, math.nan)
    if math.isnan(ahead):
        return told
    if ahead == 0:
        return f"{told}: no harm"
    if math.isinf(ahead):
        return f"{told}: waiting alone would not heal it"
    return f"{told}: sound in about {in_updates(ahead)} updates, if weights stood still"


def channels_alone(layer: LayerDrift, snapshot: Snapshot) -> list[str]:
    """Say in words what a few of the layer's channels alone do; nothing until it is measured."""
    found = snapshot.channel_exchanges
    of_layer = [part for part in found.parts if part.layer == layer.name] if found else []
    if not found or not of_layer:
        return []
    told = [
        f"the {part.channels} {'with σ² < 10ε' if part.low_variance else 'worst channels'} alone "
        f"{part.alone.accuracy:+.3f} ±{part.alone.accuracy_error:.3f} accuracy, "
        f"{part.alone.loss:+.2f} ±{part.alone.loss_error:.2f} loss"
        for part in of_layer
    ]
    return [*told[:-1], f"{told[-1]} ({found.images:,} images, update {found.update:,})"]


def history(
    snapshot: Snapshot, layer: str, width: int, height: int, glyphs: Glyphs = Glyphs.BRAILLE
) -> Picture:
    """Draw how the layer's mean gap and log-variance ratio went over the updates, in small charts.

    Where there is little room only the second.
    """
    planned = planned_end(snapshot, Axis.UPDATES)
    _, x_high = FOLLOWING.sight(snapshot.update, None, planned)
    gap, ratio = (snapshot.series.get(f"{what}:{layer}", EMPTY) for what in ("gap", "drift"))
    upper = (height - 1) // 2 if height >= TWO_HISTORIES else 0
    lower = height - 1 - upper
    charts = [
        *small_chart("mean gap, σ", gap, x_high, width, upper, glyphs),
        *small_chart("variances, |ln ratio|", ratio, x_high, width, lower, glyphs),
    ]
    if not charts:
        return []
    end = f"{x_high:.0f}"
    below = "0" + "updates".center(width - AXIS - 1 - len(end)) + end
    return [*charts, [(" " * AXIS + below, "axis")]]


def small_chart(
    title: str, view: SeriesView, x_high: float, width: int, height: int, glyphs: Glyphs
) -> Picture:
    """Draw one line with its title above and a y axis."""
    if width <= AXIS or height < 2:
        return []
    y = settled(None, *extent([view], 0.0, x_high))
    dots = plot(
        [Line("*", "running", view)],
        width=width - AXIS,
        height=height - 1,
        x_low=0.0,
        x_high=x_high,
        y=y,
        glyphs=glyphs,
    )
    axis = y_axis(y, height - 1, DOTS[glyphs][1])
    rows: Picture = [[(tick, "axis"), *row] for tick, row in zip(axis, dots, strict=True)]
    return [rule(title, width), *rows]


def beside(left: Picture, right: Picture, width: int) -> Picture:
    """Put pictures side by side, the left one `width` cells wide."""
    count = max(len(left), len(right))
    return [
        [*fitted(one, width), *other]
        for one, other in zip(
            [*left, *[[]] * (count - len(left))],
            [*right, *[[]] * (count - len(right))],
            strict=True,
        )
    ]
