"""The drift table: how far each BN layer's running statistics are from fresh ones."""

from collections.abc import Mapping

import numpy as np

from bntui.engine.diagnosis import Health, factor, health
from bntui.engine.series import SeriesView
from bntui.engine.snapshot import LayerDrift, Phase, Snapshot
from bntui.ui.canvas import Canvas, Picture, Row
from bntui.ui.charts import sparkline

TREND = 8
HEADER = (
    f" {'layer':<10}{'ch':>5}{'mean gap':>10}{'worst':>8}{'variance':>10}{'start left':>12}"
    f"  {'trend':<{TREND}} "
)
_MARKS = {
    Health.SOUND: ("√ sound", "good"),
    Health.DRIFTING: ("! drifting", "running"),
    Health.STALE: ("× stale", "bad"),
    Health.NON_FINITE: ("× not finite", "bad"),
}


class DriftTable(Canvas):
    """One row a BN layer."""

    BORDER_TITLE = "drift: running against fresh statistics, by BN layer"

    _snapshot = Snapshot()

    def show(self, snapshot: Snapshot) -> None:
        """Show the layers of `snapshot`'s last validation."""
        self._snapshot = snapshot
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the header and a row for each layer, or one line saying why there is none."""
        snapshot = self._snapshot
        if not snapshot.config.batch_norm:
            return [[(" this network has no batch norm, so nothing can drift", "faint")]]
        if snapshot.validation is None:
            waiting = snapshot.phase in {Phase.LOADING, Phase.RUNNING}
            reason = "the first validation" if waiting else "training: press space"
            return [[(f" waits for {reason}", "faint")]]
        layers = snapshot.validation.layers
        return [[(HEADER, "faint")], *(layer_row(layer, snapshot.series) for layer in layers)]


def layer_row(layer: LayerDrift, series: Mapping[str, SeriesView]) -> Row:
    """Return one layer's row."""
    mark, role = _MARKS[health(layer)]
    history = series.get(f"drift:{layer.name}")
    trend = sparkline(resampled(np.abs(history.last), TREND), TREND) if history else ""
    return [
        (f" {layer.name:<10}{layer.channels:>5}", ""),
        (f"{layer.mean_gap:>8.2f} σ{layer.mean_gap_max:>6.1f} σ", ""),
        (f"{factor(layer.log_var_ratio):>10}{layer.start_left:>12.1%}", ""),
        (f"  {trend:<{TREND}} ", "faint"),
        (mark, role),
        (f"  {layer.dead} dead" if layer.dead else "", "faint"),
    ]


def resampled(values: np.ndarray[tuple[int], np.dtype[np.float64]], count: int) -> list[float]:
    """Return at most `count` values, evenly spread over all of them, the last one included."""
    if len(values) <= count:
        return [float(value) for value in values]
    places = np.linspace(0, len(values) - 1, count).round().astype(int)
    return [float(value) for value in values[places]]
