"""The drift table: how far each BN layer's running statistics are from fresh ones."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from textual.binding import BindingType
from textual.message import Message

from bntui.core.measured import Exchange, LayerDrift
from bntui.core.series import Array, SeriesView
from bntui.core.snapshot import Phase, Snapshot
from bntui.diagnose.health import Health, exchanged, factor, forecasts, health, in_updates
from bntui.diagnose.significance import harms, loses_accuracy
from bntui.ui import key_lines
from bntui.ui.drawing.canvas import Picture, Row
from bntui.ui.drawing.charts import sparkline
from bntui.ui.key_lines import Shown
from bntui.ui.widgets.focus_canvas import FocusCanvas

TREND = 4
DRIFT_COLUMNS = {
    "layer": -11,
    "": -9,
    "alone": 7,
    "sound in": 9,
    "variance": 9,
    "mean gap": 9,
    "worst": 7,
    "start": 6,
    "net err": 8,
    "ch": 5,
    "trend": -(TREND + 1),
}
"""Titles and widths, negative for what is written from the left; where there is no room, the last are left out."""
HEALTH_SIGNS = {
    Health.SOUND: ("√", "good"),
    Health.HARMS: ("× harms", "bad"),
    Health.JOINT: ("! joint", "running"),
    Health.UNDECIDED: ("? unsure", "faint"),
    Health.UNKNOWN: ("–", "faint"),
    Health.NON_FINITE: ("× NaN", "bad"),
}
TO_BEGIN = {Phase.PAUSED: "training: press space", Phase.FAILED: "a run: press r"}
"""What the first measurement waits for, where no run is under way."""


class DriftTable(FocusCanvas):
    """One row a BN layer, those that harm validation first; ↑ and ↓ choose one, Enter opens it."""

    hint = "↑ ↓ choose a layer, enter opens it, tab goes on"
    shown_keys = (Shown("↑ ↓", "layer"), Shown("enter", "open"))
    BORDER_TITLE = "drift: running against fresh statistics"
    BINDINGS: ClassVar[list[BindingType]] = [*key_lines.DRIFT_TABLE]
    COMPONENT_CLASSES = {"canvas--chosen"}
    DEFAULT_CSS = "DriftTable > .canvas--chosen { text-style: reverse; }"

    @dataclass
    class Opened(Message):
        """The user wants to see one layer in detail."""

        index: int

    chosen = 0
    """The place among the network's layers of the one that Enter opens."""

    _snapshot = Snapshot()

    @property
    def chosen_layer(self) -> int:
        """The place of the layer whose numbers the help puts into formulas."""
        return self.chosen

    def show(self, snapshot: Snapshot) -> None:
        """Show the layers of `snapshot`'s last validation."""
        self._snapshot = snapshot
        exchanges = snapshot.exchanges
        measured = (
            f" · marks: {exchanges.images:,} images, update {exchanges.update:,}"
            if exchanges and exchanged(snapshot)
            else ""
        )
        self.retitle(f"{self.BORDER_TITLE}{measured}")
        self.repaint()

    def action_move(self, by: int) -> None:
        """Choose the next layer up or down; beyond the ends, leave the table."""
        place = self.next_row(in_order(self._snapshot), self.chosen, by)
        if place is not None:
            self.chosen = place
            self.repaint()

    def action_open(self) -> None:
        """Open the chosen layer."""
        if self.chosen in in_order(self._snapshot):
            self.post_message(self.Opened(self.chosen))

    def draw(self, width: int, height: int) -> Picture:
        """Return the header and a row for each layer, or one line saying why there is none."""
        snapshot = self._snapshot
        if not snapshot.config.has_statistics:
            return [[(" this network has no batch norm, so nothing can drift", "faint")]]
        if snapshot.validation is None:
            return waiting_for("the first validation", snapshot)
        return drift_rows(snapshot, width, self.chosen if self.has_focus else None)


def waiting_for(measurement: str, snapshot: Snapshot) -> Picture:
    """Return the line that a panel shows before its first measurement."""
    under_way = snapshot.phase in {Phase.LOADING, Phase.RUNNING}
    reason = measurement if under_way else TO_BEGIN.get(snapshot.phase, "")
    return [[(f" waits for {reason}", "faint")]]


def in_order(snapshot: Snapshot) -> list[int]:
    """Return the places of the layers among the network's, the most harmful one first."""
    known = exchanged(snapshot)
    drifts = snapshot.validation.layers if snapshot.validation else ()

    def harm(place: int) -> tuple[bool, float]:
        found = known.get(drifts[place].name)
        if found is None or health(drifts[place], found) is not Health.HARMS:
            return True, 0.0
        return False, -found.alone.loss

    return sorted(range(len(drifts)), key=harm)


def drift_rows(snapshot: Snapshot, width: int, chosen: int | None = None) -> Picture:
    """Return the header and a row for each layer, that of the layer at the place `chosen` marked."""
    known, ahead = exchanged(snapshot), forecasts(snapshot)
    drifts = snapshot.validation.layers if snapshot.validation else ()
    rows: Picture = [[(title, "faint") for title in DRIFT_COLUMNS]]
    for place in in_order(snapshot):
        layer = drifts[place]
        found, updates = known.get(layer.name), ahead.get(layer.name, math.nan)
        (first, role), *rest = layer_row(layer, snapshot.series, found, updates)
        rows.append([(first, "chosen" if place == chosen else role), *rest])
    return [_aligned(row, width) for row in rows]


def layer_row(
    layer: LayerDrift,
    series: Mapping[str, SeriesView],
    exchange: Exchange | None,
    sound_in: float,
) -> Row:
    """Return one layer's cells, one for each of `DRIFT_COLUMNS`."""
    mark, role = HEALTH_SIGNS[health(layer, exchange)]
    history = series.get(f"drift:{layer.name}")
    trend = sparkline(resampled(np.abs(history.last), TREND), TREND) if history else ""
    error = f"{layer.network_error:.0%}" if math.isfinite(layer.network_error) else "–"
    return [
        (layer.name, ""),
        (mark, role),
        (cost(exchange), ""),
        (ahead_of(sound_in), ""),
        (off(layer), ""),
        (sigmas(layer.mean_gap, 2), ""),
        (sigmas(layer.mean_gap_max, 1), ""),
        (f"{layer.start_left:.0%}", ""),
        (error, ""),
        (f"{layer.channels}", ""),
        (trend, "faint"),
    ]


def _aligned(cells: Row, width: int) -> Row:
    """Put cells into their columns, as many as `width` has room for whole."""
    row: Row = []
    taken = 0
    for (text, role), size in zip(cells, DRIFT_COLUMNS.values(), strict=True):
        taken += abs(size)
        if taken > width and row:
            break
        row.append((f" {text:<{-size - 1}}" if size < 0 else f"{text:>{size}}", role))
    return row


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
