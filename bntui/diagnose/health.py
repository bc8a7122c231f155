"""Which BN layers harm validation, as exchanging their statistics showed, and how that is written.

Imports no torch.
"""

import math
from enum import StrEnum

from bntui.core.measured import Exchange, LayerDrift
from bntui.core.snapshot import Snapshot
from bntui.diagnose.significance import harms, helps, undecided

RECENT = 16
"""Updates for which a measurement counts as current, where an epoch has fewer."""
READING = 10.0
"""Seconds for which a measurement counts as recent in any case: time to read it, and to act on it."""


class Health(StrEnum):
    """What a layer's statistics were seen to do to validation."""

    SOUND = "no harm"
    HARMS = "harms"
    """Its running statistics alone harm, with all other layers under fresh ones."""
    JOINT = "joint"
    """They don't alone, but fresh statistics in this layer alone help."""
    UNDECIDED = "undecided"
    UNKNOWN = "not measured"
    NON_FINITE = "not finite"


def health(layer: LayerDrift, exchange: Exchange | None) -> Health:
    """Judge one layer by what was measured of it; local drift raises no alarm."""
    if layer.non_finite:
        return Health.NON_FINITE
    if exchange is None:
        return Health.UNKNOWN
    if harms(exchange.alone):
        return Health.HARMS
    if helps(exchange.rescued):
        return Health.JOINT
    return Health.UNDECIDED if undecided(exchange.alone) else Health.SOUND


def exchanged(snapshot: Snapshot) -> dict[str, Exchange]:
    """Return the last measurement of each layer by name; `snapshot.exchanges.update` tells when it was."""
    exchanges = snapshot.exchanges
    return {layer.name: layer for layer in exchanges.layers} if exchanges else {}


def forecasts(snapshot: Snapshot) -> dict[str, float]:
    """Return after how many updates layers will do no harm, by name, as last measured.

    0 for a layer that does none now, as the last exchange shows. A forecast of 0 for a layer that
    does harm now is left out.
    """
    waiting, exchanges = snapshot.layers_waiting, exchanged(snapshot)
    known = {
        name: updates
        for name, updates in (waiting.layers if waiting else ())
        if updates or name not in exchanges or not harms(exchanges[name].alone)
    }
    now = {
        name: 0.0
        for name, exchange in exchanges.items()
        if not harms(exchange.alone) and not undecided(exchange.alone)
    }
    return known | now


def current(snapshot: Snapshot, update: int) -> bool:
    """Tell whether `update` is at most an epoch ago."""
    return snapshot.update - update <= max(RECENT, snapshot.updates_per_epoch)


def recent(snapshot: Snapshot, update: int) -> bool:
    """Tell whether what was measured at `update` may still be reported: current, or `READING` seconds old."""
    if current(snapshot, update):
        return True
    clock = snapshot.series.get("seconds")
    if clock is None:
        return False
    then = clock.last[clock.x >= update]
    if not len(then):
        return False
    # `snapshot.seconds` leaves out the pauses of a slow pace: they are reckoned at the present pace.
    paced = (snapshot.update - update) / snapshot.knobs.pace
    return bool(max(snapshot.seconds - then[0], paced) <= READING)


def in_updates(ahead: float) -> str:
    """Write a forecast as a whole number of updates, at least one."""
    return f"{max(1, round(ahead)):,}"


def factor(log_ratio: float) -> str:
    """Write a log ratio as a factor: ×4.9, ÷2."""
    if not math.isfinite(log_ratio):
        return "–"
    value = f"{math.exp(min(abs(log_ratio), 99.0)):.3g}"
    return f"÷{value}" if log_ratio < 0 and value != "1" else f"×{value}"
