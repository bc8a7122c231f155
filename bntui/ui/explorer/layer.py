"""One BN layer in detail: every channel's running statistics against fresh ones."""

import math
from collections.abc import Callable
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from bntui.core.measured import LayerDrift, Validation
from bntui.core.scales import extent, settled
from bntui.core.series import Series, SeriesView
from bntui.core.snapshot import Snapshot
from bntui.core.text import exact
from bntui.diagnose.health import exchanged, forecasts, health, in_updates
from bntui.ui import key_table
from bntui.ui.drawing.axes import AXIS, y_axis
from bntui.ui.drawing.canvas import Canvas, Picture, fitted
from bntui.ui.drawing.channel_strips import parts, rule, strip, worst
from bntui.ui.drawing.plot import Line, plot
from bntui.ui.drawing.view import FOLLOWING, Axis, planned_end
from bntui.ui.explorer.drift import HEALTH_SIGNS
from bntui.ui.terminal.glyphs import DOTS, Glyphs
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.widgets.status import StatusLine

BELOW = 10
"""Rows for the worst channels, and for the split and the history beside them, at least."""
WORST_WIDTH = 52
"""Cells of " channel 3135: mean 11.2 σ too high, variance ×14.2 "."""
NARROWEST_BESIDE = 27
"""Cells below which there is nothing beside them: "variance 1230% = 1229% + 1%" must fit."""
TWO_HISTORIES = 8
"""Rows from which on there are two histories, and not that of the variance alone."""
EMPTY = Series(2).view()


class LayerScreen(Screen[int]):
    """Shows the run under way; closes with the index of the layer that was shown last."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.LAYER.bindings()]

    def __init__(self, snapshot: Snapshot, ask: Callable[[], None], index: int) -> None:
        """`ask` has the run's `channel_exchanges` measured anew.

        `index` is the layer's place in the network.
        """
        super().__init__()
        self.index = index
        self._snapshot = snapshot
        self._ask = ask

    @property
    def chosen_layer(self) -> int:
        """The place of the layer whose numbers the help puts into formulas."""
        return self.index

    def compose(self) -> ComposeResult:
        """Lay out the picture, and the keys."""
        yield StatusLine()
        yield Layer()
        yield MessageLines()
        yield KeyLine(key_table.LAYER.shown())

    def on_mount(self) -> None:
        """Ask, and show what there is."""
        self.action_measure()
        self.show(self._snapshot)

    def action_go(self, by: int) -> None:
        """Show the next layer (1) or the previous one (−1); around the ends."""
        validation = self._snapshot.validation
        if validation and validation.layers:
            self.index = (self.index + by) % len(validation.layers)
        self.show(self._snapshot)

    def action_measure(self) -> None:
        """Have the channels of the layers measured with the weights of now."""
        validation = self._snapshot.validation
        if validation and validation.layers:
            self._ask()

    def action_close(self) -> None:
        """Return the index of the layer."""
        self.dismiss(self.index)

    def show(self, snapshot: Snapshot) -> None:
        """Show the layer as it is in `snapshot`."""
        self._snapshot = snapshot
        self.query_one(Layer).show(snapshot, self.index)


class Layer(Canvas):
    """The whole picture of one layer."""

    DEFAULT_CSS = "Layer { height: 1fr; background: $background; }"

    _snapshot = Snapshot()
    _index = 0

    def show(self, snapshot: Snapshot, index: int) -> None:
        """Show a layer of `snapshot`'s last validation."""
        old, before = self._snapshot, self._index
        self._snapshot, self._index = snapshot, index
        same = (
            before == index
            and old.validation is snapshot.validation
            and old.exchanges is snapshot.exchanges
            and old.channel_exchanges is snapshot.channel_exchanges
            and old.layers_waiting is snapshot.layers_waiting
            and old.knobs == snapshot.knobs
        )
        if not same:
            self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the picture, or a line saying why there is none."""
        validation = self._snapshot.validation
        if validation is None:
            return [[(" waiting for the first validation", "faint")]]
        if self._index >= len(validation.layers):
            return [[(" this network has no batch norm, so nothing can drift", "faint")]]
        return picture(self._snapshot, validation, self._index, width, height, self.glyphs)


def picture(
    snapshot: Snapshot,
    validation: Validation,
    index: int,
    width: int,
    height: int,
    glyphs: Glyphs = Glyphs.BRAILLE,
) -> Picture:
    """Draw layer `index`: words, two strips of channels; below worst channels, split, history.

    What finds no room is left out: first what is below on the right, or the strips.
    """
    layer = validation.layers[index]
    top = header(snapshot, validation, index, width)
    rows = height - len(top) - max(BELOW, (height - len(top)) // 2)
    means, ratios = layer.detail.mean_gap, layer.detail.log_var_ratio
    strips = [
        *strip("mean", means, layer.detail, width, rows - rows // 2, glyphs),
        *strip("variance", ratios, layer.detail, width, rows // 2, glyphs),
    ]
    below = height - len(top) - len(strips)
    room = width - WORST_WIDTH
    if room < NARROWEST_BESIDE:
        left, right = worst(layer.detail, width, below), []
    else:
        left, split = worst(layer.detail, WORST_WIDTH - 1, below), parts(layer.detail, room)
        right = [*split, *history(snapshot, layer.name, room, below - len(split), glyphs)]
    return [
        *top,
        *strips,
        *beside(left, right, min(WORST_WIDTH, width)),
    ]


def header(snapshot: Snapshot, validation: Validation, index: int, width: int) -> Picture:
    """Say which layer it is, its health, the forecast, and the error of its and the network's output.

    Lines that are longer than `width` are wrapped.
    """
    layer = validation.layers[index]
    knobs, images = snapshot.knobs, snapshot.knobs.batch_size
    how = f"momentum {exact(knobs.momentum)}"
    if knobs.estimator != "momentum":
        how += f", {knobs.estimator}"
    mark, role = HEALTH_SIGNS[health(layer, exchanged(snapshot).get(layer.name))]
    name = f" {layer.name}"
    place = f"   layer {index + 1} of {len(validation.layers)}, update {validation.update}   "
    values = layer.positions * images
    count = f"{layer.channels} channels: {layer.quiet} quiet, {layer.non_finite} not finite"
    said = [
        f"{count} · {layer.positions} × {images} = {values:,} values each per batch",
        f"{how} · {layer.start_left:.1%} of the start value left",
        outlook(layer, snapshot),
        *channels_alone(layer, snapshot),
        f"output error {layer.output_error:.2f} alone · network error "
        f"{layer.network_error:.0%}, all earlier layers stale too",
    ]
    return [
        [(name, "strong"), (place, ""), (mark, role)],
        *([(f" {line}", "")] for words in said for line in wrap(words, max(8, width - 1))),
    ]


def outlook(layer: LayerDrift, snapshot: Snapshot) -> str:
    """Say in words what the layer alone does, and when it will do no harm."""
    if layer.non_finite:
        return "not finite: statistics that are NaN stay NaN"
    exchange = exchanged(snapshot).get(layer.name)
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
        *small_chart("mean gap σ", gap, x_high, width, upper, glyphs),
        *small_chart("mean |ln of the variance ratio|", ratio, x_high, width, lower, glyphs),
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
