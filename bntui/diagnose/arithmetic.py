"""The arithmetic of one channel of a BN layer, with the numbers that were measured. Imports no torch.

All figures are those of a run's validation: the running statistics after that many updates, what the
last of them did, and fresh statistics of the same weights.
"""

import math
from dataclasses import dataclass

from bntui.core.measured import ChannelValues, LayerDrift
from bntui.core.snapshot import Snapshot
from bntui.core.text import exact, percent

MOST_DECIMALS = 7
_SHOWN = 2
"""Significant digits that the change of a statistic shows with."""


@dataclass(frozen=True, slots=True)
class Move:
    """What one update did to one running statistic: after = kept · before + (1 − kept) · batch."""

    kept: float
    before: float
    batch: float
    after: float

    @property
    def known(self) -> bool:
        """Whether there was such an update, and its numbers are finite."""
        return all(map(math.isfinite, (self.kept, self.before, self.batch, self.after)))


@dataclass(frozen=True, slots=True)
class Normalising:
    """What a channel is normalised with in validation: under running and under fresh statistics."""

    running: tuple[float, float]
    """Mean and variance. So are the fresh ones."""
    fresh: tuple[float, float]
    scale: float
    shift: float
    epsilon: float

    def output(self, value: float, *, fresh: bool) -> float:
        """Return ŷ = γ·(x − μ)/√(σ² + ε) + β for a value x; NaN where there is none."""
        mean, variance = self.fresh if fresh else self.running
        if not variance + self.epsilon > 0.0:
            return math.nan
        return self.scale * (value - mean) / math.sqrt(variance + self.epsilon) + self.shift


def layer_of(snapshot: Snapshot, layer: str) -> LayerDrift | None:
    """Return what the last validation found of a layer, by name; None where there is none."""
    layers = snapshot.validation.layers if snapshot.validation else ()
    return next((one for one in layers if one.name == layer), None)


def values_of(snapshot: Snapshot, layer: str, channel: int) -> ChannelValues | None:
    """Return the values of a layer's channels, if there is such a channel and they were measured."""
    found = layer_of(snapshot, layer)
    values = found.detail.values if found else None
    return values if values and 0 <= channel < values.running.shape[1] else None


def mean_move(values: ChannelValues, channel: int) -> Move:
    """Return what the last update did to a channel's running mean."""
    return _move(values, channel, 0)


def variance_move(values: ChannelValues, channel: int) -> Move:
    """Return what the last update did to a channel's running variance."""
    return _move(values, channel, 1)


def normalising(values: ChannelValues, channel: int) -> Normalising:
    """Return what a channel is normalised with."""
    (mean, variance), (fresh_mean, fresh_variance) = (
        (float(row[0, channel]), float(row[1, channel])) for row in (values.running, values.fresh)
    )
    return Normalising(
        (mean, variance),
        (fresh_mean, fresh_variance),
        float(values.scale[channel]),
        float(values.shift[channel]),
        values.epsilon,
    )


def update_of_mean(snapshot: Snapshot, layer: str, channel: int) -> str:
    """Return the last update of a running mean, "r ← 0.99·0.310 + 0.01·1.740 = 0.324".

    Nothing where it was not measured, or is not finite.
    """
    values = values_of(snapshot, layer, channel)
    return in_numbers("r", mean_move(values, channel)) if values else ""


def update_of_variance(snapshot: Snapshot, layer: str, channel: int) -> str:
    """Return the last update of a running variance, "v ← 0.99·1.000 + 0.01·0.040 = 0.990"."""
    values = values_of(snapshot, layer, channel)
    return in_numbers("v", variance_move(values, channel)) if values else ""


def in_numbers(name: str, move: Move) -> str:
    """Return an update with its numbers: whoever calculates it as written finds what is written."""
    if not move.known:
        return ""
    change = abs(move.after - move.before)
    least = _SHOWN - 1 - math.floor(math.log10(change)) if change else 0
    for decimals in range(min(max(least, _SHOWN), MOST_DECIMALS), MOST_DECIMALS + 1):
        for digits in (4, 7, 10):
            kept, other = round(move.kept, digits), round(1.0 - move.kept, digits)
            before, batch, after = (
                f"{value:.{decimals}f}" for value in (move.before, move.batch, move.after)
            )
            found = f"{kept * float(before) + other * float(batch):.{decimals}f}"
            if found == after:
                return _told(name, kept, before, other, batch, after)
    return _told(name, kept, before, other, batch, found)


def _told(name: str, kept: float, before: str, other: float, batch: str, after: str) -> str:
    """Write an update that keeps `kept` of what was before."""
    told = f"{name} ← {exact(kept)}·{_factor(before)} + {exact(other)}·{_factor(batch)} = {after}"
    return told.replace("-", "−")


def output_in_numbers(found: Normalising, value: float, *, fresh: bool) -> str:
    """Return what a value becomes, "1.02·(1.74 − 0.324)/√(0.99 + 0.001) + 0.03 = 1.48".

    Its numbers have as many digits as it takes to find what is written. Nothing where it is not finite.
    """
    mean, variance = found.fresh if fresh else found.running
    exactly = (found.scale, value, mean, variance, found.epsilon, found.shift)
    output = found.output(value, fresh=fresh)
    if not all(map(math.isfinite, (*exactly, output))):
        return ""
    written = [""] * len(exactly)
    for digits in range(3, 10):
        written = [plain(one, digits) for one in exactly]
        scale, x, center, spread, epsilon, shift = map(float, written)
        again = Normalising((center, spread), (0.0, 1.0), scale, shift, epsilon)
        if f"{again.output(x, fresh=False):.2f}" == f"{output:.2f}":
            break
    scale_, x_, center_, spread_, epsilon_, shift_ = written
    inner = f"{x_} {_signed(center_, negated=True)}"
    outer = "" if shift_ == "0" else f" {_signed(shift_)}"
    told = f"{_factor(scale_)}·({inner})/√({spread_} + {epsilon_}){outer} = {output:.2f}"
    return told.replace("-", "−").replace("= −0.00", "= 0.00")


def plain(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits and no exponent; the last zeros left out."""
    size = math.floor(math.log10(abs(value))) if value else 0
    text = f"{value:.{max(0, digits - 1 - size)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _factor(number: str) -> str:
    """Write a number as it is multiplied: a negative one in brackets."""
    return f"({number})" if number.startswith("-") else number


def _signed(number: str, *, negated: bool = False) -> str:
    """Write a number as it is added, or taken away: "+ 0.03", "− 0.03"."""
    minus = number.startswith("-") != negated
    return f"{'−' if minus else '+'} {number.removeprefix('-')}"


def start_in_numbers(layer: LayerDrift, update: int) -> str:
    """Say how much of the start value is left: "0.99^97 = 38 %", or only how much."""
    left, values = layer.start_left, layer.detail.values
    share = percent(left)
    kept = values.kept if values else math.nan
    if math.isfinite(kept) and math.isclose(left, kept**update, rel_tol=1e-4 * max(1, update)):
        return f"{exact(round(kept, 6))}^{update:,} = {share}"
    return share


def _move(values: ChannelValues, channel: int, which: int) -> Move:
    before, batch, after = (
        float(row[which, channel]) for row in (values.before, values.batch, values.running)
    )
    return Move(values.kept, before, batch, after)
