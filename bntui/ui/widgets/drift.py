"""The drift table: how far each BN layer's running statistics are from fresh ones."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from textual.binding import Binding, BindingType
from textual.message import Message

from bntui.engine.health import Health, factor, forecast, forgetting, health, in_updates
from bntui.engine.series import Array, SeriesView
from bntui.engine.snapshot import LayerDrift, Phase, Snapshot
from bntui.ui.canvas import Canvas, Picture, Row
from bntui.ui.charts import sparkline

TREND = 6
HEADER = (
    f" {'layer':<10} {'':<8}{'sound in':>8}{'variance':>9}{'mean gap':>9}{'worst':>7}{'start':>6}"
    f"{'net err':>8}{'ch':>5}{'dead':>5} {'trend':<{TREND}}"
)
MARKS = {
    Health.SOUND: ("√", "good"),
    Health.DRIFTING: ("! drifts", "running"),
    Health.STALE: ("× stale", "bad"),
    Health.NON_FINITE: ("× NaN", "bad"),
    Health.DEAD: ("○ dead", "faint"),
}


TO_BEGIN = {Phase.PAUSED: "training: press space", Phase.FAILED: "a run: press r"}
"""What nothing measured yet waits for, where nothing is under way."""


class DriftTable(Canvas, can_focus=True):
    """One row a BN layer; ↑ and ↓ choose one, Enter opens it."""

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
    """The place of the layer that Enter opens."""

    _snapshot = Snapshot()

    @property
    def drifts(self) -> tuple[LayerDrift, ...]:
        """What is in the table."""
        return self._snapshot.validation.layers if self._snapshot.validation else ()

    def show(self, snapshot: Snapshot) -> None:
        """Show the layers of `snapshot`'s last validation."""
        self._snapshot = snapshot
        self.repaint()

    def action_move(self, by: int) -> None:
        """Choose the next layer up or down; beyond the ends, leave the table."""
        if 0 <= self.chosen + by < len(self.drifts):
            self.chosen += by
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
        rows = [layer_row(layer, snapshot.series, forgetting(snapshot)) for layer in self.drifts]
        if self.has_focus and self.chosen < len(rows):
            (first, role), *rest = rows[self.chosen]
            rows[self.chosen] = [(first, f"{role} chosen".strip()), *rest]
        return [[(HEADER, "faint")], *rows]


def layer_row(layer: LayerDrift, series: Mapping[str, SeriesView], momentum: float) -> Row:
    """Return one layer's row."""
    mark, role = MARKS[health(layer)]
    history = series.get(f"drift:{layer.name}")
    trend = sparkline(resampled(np.abs(history.last), TREND), TREND) if history else ""
    error = f"{layer.network_error:.0%}" if math.isfinite(layer.network_error) else "–"
    return [
        (f" {layer.name:<10}", ""),
        (f" {mark:<8}", role),
        (f"{ahead(forecast(layer, momentum)):>8}{factor(layer.log_var_ratio):>9}", ""),
        (f"{sigmas(layer.mean_gap, 2):>9}{sigmas(layer.mean_gap_max, 1):>7}", ""),
        (f"{layer.start_left:>6.0%}{error:>8}{layer.channels:>5}", ""),
        (f"{layer.dead + layer.non_finite:>5} ", "bad" if layer.non_finite else ""),
        (f"{trend:<{TREND}}", "faint"),
    ]


def ahead(updates: float) -> str:
    """Write a forecast: how many updates until the layer is sound."""
    if math.isnan(updates):
        return "–"
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
