"""The drift table: how far each BN layer's running statistics are from fresh ones."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from textual.binding import Binding, BindingType
from textual.message import Message

from bntui.engine.health import Health, exchanged, factor, forecasts, health, in_updates
from bntui.engine.series import Array, SeriesView
from bntui.engine.significance import harms, loses_accuracy
from bntui.engine.snapshot import Exchange, LayerDrift, Phase, Snapshot
from bntui.ui.canvas import Canvas, Picture, Row
from bntui.ui.charts import sparkline

TREND = 6
HEADER = (
    f" {'layer':<10} {'':<8}{'alone':>7}{'sound in':>9}{'variance':>9}{'mean gap':>9}{'worst':>7}"
    f"{'start':>6}{'net err':>8}{'ch':>5}{'quiet':>6} {'trend':<{TREND}}"
)
MARKS = {
    Health.SOUND: ("√", "good"),
    Health.HARMS: ("× harms", "bad"),
    Health.JOINT: ("! joint", "running"),
    Health.UNDECIDED: ("? unsure", "faint"),
    Health.UNKNOWN: ("–", "faint"),
    Health.NON_FINITE: ("× NaN", "bad"),
}


TO_BEGIN = {Phase.PAUSED: "training: press space", Phase.FAILED: "a run: press r"}
"""What nothing measured yet waits for, where nothing is under way."""


class DriftTable(Canvas, can_focus=True):
    """One row a BN layer, those that harm validation first; ↑ and ↓ choose one, Enter opens it."""

    hint = "↑ ↓ choose a layer, enter opens it, tab goes on"
    BORDER_TITLE = "drift: running against fresh statistics, by BN layer"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "layer up", show=False),
        Binding("down", "move(1)", "layer down", show=False),
        Binding("enter", "open", "open the layer", show=False),
    ]
    COMPONENT_CLASSES = {"canvas--chosen"}
    DEFAULT_CSS = "DriftTable > .canvas--chosen { text-style: reverse; }"

    @dataclass
    class Opened(Message):
        """The user wants to see one layer from near."""

        index: int

    chosen = 0
    """The place among the network's layers of the one that Enter opens."""

    _snapshot = Snapshot()

    @property
    def drifts(self) -> tuple[LayerDrift, ...]:
        """What is in the table, in the order of the network."""
        return self._snapshot.validation.layers if self._snapshot.validation else ()

    @property
    def order(self) -> list[int]:
        """The places of the layers in the order of the table: the most harmful ones first."""
        known = exchanged(self._snapshot)

        def harm(place: int) -> tuple[bool, float]:
            layer = self.drifts[place]
            found = known.get(layer.name)
            if found is None or health(layer, found) is not Health.HARMS:
                return True, 0.0
            return False, -found.alone.loss

        return sorted(range(len(self.drifts)), key=harm)

    def show(self, snapshot: Snapshot) -> None:
        """Show the layers of `snapshot`'s last validation."""
        self._snapshot = snapshot
        exchanges = snapshot.exchanges
        measured = (
            f": marks on {exchanges.images:,} images at update {exchanges.update:,}"
            if exchanges and exchanged(snapshot)
            else ""
        )
        self.retitle(f"{self.BORDER_TITLE}{measured}")
        self.repaint()

    def action_move(self, by: int) -> None:
        """Choose the next layer up or down; beyond the ends, leave the table."""
        order = self.order
        row = order.index(self.chosen) + by if self.chosen in order else 0
        if 0 <= row < len(order):
            self.chosen = order[row]
            self.repaint()
        elif by > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def action_open(self) -> None:
        """Open the chosen layer."""
        if self.chosen < len(self.drifts):
            self.post_message(self.Opened(self.chosen))

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Show which layer Enter opens."""
        super().watch_has_focus(_has_focus)
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the header and a row for each layer, or one line saying why there is none."""
        snapshot = self._snapshot
        if not snapshot.config.has_statistics:
            return [[(" this network has no batch norm, so nothing can drift", "faint")]]
        if snapshot.validation is None:
            waiting = snapshot.phase in {Phase.LOADING, Phase.RUNNING}
            reason = "the first validation" if waiting else TO_BEGIN.get(snapshot.phase, "")
            return [[(f" waits for {reason}", "faint")]]
        known, ahead = exchanged(snapshot), forecasts(snapshot)
        rows = []
        for place in self.order:
            layer = self.drifts[place]
            found, updates = known.get(layer.name), ahead.get(layer.name, math.nan)
            row = layer_row(layer, snapshot.series, found, updates)
            if self.has_focus and self.chosen == place:
                (first, role), *rest = row
                row = [(first, f"{role} chosen".strip()), *rest]
            rows.append(row)
        return [[(HEADER, "faint")], *rows]


def layer_row(
    layer: LayerDrift,
    series: Mapping[str, SeriesView],
    exchange: Exchange | None,
    sound_in: float,
) -> Row:
    """Return one layer's row."""
    mark, role = MARKS[health(layer, exchange)]
    history = series.get(f"drift:{layer.name}")
    trend = sparkline(resampled(np.abs(history.last), TREND), TREND) if history else ""
    error = f"{layer.network_error:.0%}" if math.isfinite(layer.network_error) else "–"
    return [
        (f" {layer.name:<10}", ""),
        (f" {mark:<8}", role),
        (f"{cost(exchange):>7}{ahead_of(sound_in):>9}{off(layer):>9}", ""),
        (f"{sigmas(layer.mean_gap, 2):>9}{sigmas(layer.mean_gap_max, 1):>7}", ""),
        (f"{layer.start_left:>6.0%}{error:>8}{layer.channels:>5}", ""),
        (f"{layer.quiet + layer.non_finite:>6} ", "bad" if layer.non_finite else ""),
        (f"{trend:<{TREND}}", "faint"),
    ]


def cost(exchange: Exchange | None) -> str:
    """Write what a layer alone does to validation: accuracy, or loss (L) where that alone suffers."""
    if exchange is None:
        return "–"
    alone = exchange.alone
    if health_of_loss(exchange):
        return f"{alone.loss:+.2f}L"
    return f"{alone.accuracy:+.2f}"


def health_of_loss(exchange: Exchange) -> bool:
    """Tell whether a layer alone costs loss, and no accuracy that matters."""
    return harms(exchange.alone) and not loses_accuracy(exchange.alone)


def off(layer: LayerDrift) -> str:
    """Write how far variances are off: ×2 or ÷2 where channels agree, ×÷2 where they cancel out."""
    size = layer.log_var_off
    if not math.isfinite(size) or abs(layer.log_var_ratio) >= size / 2:
        return factor(math.copysign(size, layer.log_var_ratio))
    return f"×{factor(-size)}" if factor(-size)[0] == "÷" else factor(size)


def ahead_of(updates: float) -> str:
    """Write a forecast: how many updates until the layer does no harm."""
    if math.isnan(updates):
        return "–"
    if math.isinf(updates):
        return "never"
    return "now" if updates == 0 else in_updates(updates)


def sigmas(value: float, digits: int) -> str:
    """Write a number of standard deviations."""
    return f"{value:.{digits}f} σ" if math.isfinite(value) else "–"


def resampled(values: Array, count: int) -> list[float]:
    """Return at most `count` values, evenly spread over all of them, the last one included."""
    if len(values) <= count:
        return [float(value) for value in values]
    places = np.linspace(0, len(values) - 1, count).round().astype(int)
    return [float(value) for value in values[places]]
