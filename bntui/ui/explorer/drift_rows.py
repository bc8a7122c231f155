"""The drift table as rows of text: how far each BN layer's running statistics are from fresh ones. Pure."""

import math
from collections.abc import Mapping

import numpy as np

from bntui.core.measured import Exchange, LayerDrift
from bntui.core.series import Array, SeriesView
from bntui.core.snapshot import Snapshot
from bntui.core.text import percent
from bntui.diagnose.health import Health, exchanged, factor, forecasts, health, in_updates
from bntui.diagnose.significance import harms, loses_accuracy
from bntui.ui.drawing.canvas import Picture, Row
from bntui.ui.drawing.charts import sparkline

TREND = 12
"""Cells of a sparkline."""
DRIFT_COLUMNS = {
    "layer": -11,
    "": -9,
    "alone": 11,
    "sound in": 9,
    "variance": 9,
    "mean gap": 9,
    "worst gap": 10,
    "start left": 11,
    "network error": 14,
    "channels": 9,
    "trend": -(TREND + 1),
}
"""Titles and widths, negative for what is written from the left; where there is no room, the last are left out."""
EXCHANGED = {"", "alone", "sound in"}
"""Those of what exchanging layers' statistics shows, which is not done to a watched training."""
TABLE_WIDTH = sum(map(abs, DRIFT_COLUMNS.values()))
HEALTH_SIGNS = {
    Health.SOUND: ("√", "good"),
    Health.HARMS: ("× harms", "bad"),
    Health.JOINT: ("! joint", "running"),
    Health.UNDECIDED: ("? unsure", "faint"),
    Health.UNKNOWN: ("–", "faint"),
    Health.NON_FINITE: ("× NaN", "bad"),
}


def in_order(snapshot: Snapshot) -> list[int]:
    """Return the places of the layers among the network's, the most harmful one first.

    Of a watched training, whose layers are not exchanged, the one whose variances are furthest off.
    """
    known = exchanged(snapshot)
    drifts = snapshot.validation.layers if snapshot.validation else ()

    def harm(place: int) -> tuple[bool, float]:
        if (
            snapshot.watched and not known
        ):  # nothing is known of harm: those furthest off come first
            return True, -np.nan_to_num(drifts[place].log_var_off, nan=np.inf)
        found = known.get(drifts[place].name)
        if found is None or health(drifts[place], found) is not Health.HARMS:
            return True, 0.0
        return False, -found.alone.loss

    return sorted(range(len(drifts)), key=harm)


def drift_rows(
    snapshot: Snapshot, width: int, chosen: int | None = None, places: list[int] | None = None
) -> Picture:
    """Return the header and a row for each layer, that of the layer at the place `chosen` marked.

    `places` are those of the layers to show among the network's; all, in order, if it is None.
    """
    known, ahead = exchanged(snapshot), forecasts(snapshot)
    drifts = snapshot.validation.layers if snapshot.validation else ()
    rows: Picture = [[(title, "faint") for title in DRIFT_COLUMNS]]
    for place in in_order(snapshot) if places is None else places:
        layer = drifts[place]
        found, updates = known.get(layer.name), ahead.get(layer.name, math.nan)
        (first, role), *rest = layer_row(layer, snapshot.series, found, updates)
        rows.append([(first, "chosen" if place == chosen else role), *rest])
    shown = [title not in EXCHANGED or snapshot.watched is None for title in DRIFT_COLUMNS]
    return [_aligned(row, width, shown) for row in rows]


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
    error = percent(layer.network_error) if math.isfinite(layer.network_error) else "–"
    return [
        (layer.name, ""),
        (mark, role),
        (cost(exchange), ""),
        (ahead_of(sound_in), ""),
        (off(layer), ""),
        (sigmas(layer.mean_gap, 2), ""),
        (sigmas(layer.mean_gap_max, 1), ""),
        (percent(layer.start_left), ""),
        (error, ""),
        (f"{layer.channels:,}", ""),
        (trend, "faint"),
    ]


def _aligned(cells: Row, width: int, shown: list[bool]) -> Row:
    """Put cells into those columns that are `shown`, as many as `width` has room for whole."""
    row: Row = []
    taken = 0
    for (text, role), size, shows in zip(cells, DRIFT_COLUMNS.values(), shown, strict=True):
        if not shows:
            continue
        taken += abs(size)
        if taken > width and row:
            break
        row.append((f" {text:<{-size - 1}}" if size < 0 else f"{text:>{size}}", role))
    return row


def cost(exchange: Exchange | None) -> str:
    """Write what a layer alone does to validation: to accuracy, or to loss where only that suffers."""
    if exchange is None:
        return "–"
    alone = exchange.alone
    if health_of_loss(exchange):
        return f"loss {alone.loss:+.2f}".replace("-", "−")
    return f"{alone.accuracy:+.2f}".replace("-", "−")


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
