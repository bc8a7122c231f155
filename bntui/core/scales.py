"""What the axes of a chart stand for: round numbers that stay put for as long as they serve."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bntui.core.series import Array, SeriesView

WIDEST = 5
"""Characters of a tick's number."""
_FUZZ = 1e-9
_HUGE = 1e99


@dataclass(frozen=True, slots=True)
class YRange:
    """What the height of a chart stands for, linear or logarithmic."""

    low: float
    high: float
    log: bool = False

    def fraction(self, values: Array | float) -> Array:
        """Return the heights of `values`: 0 at `low` and below, 1 at `high` and above."""
        low, high = self.low, self.high
        if self.log:
            values, low, high = np.log10(np.maximum(values, low)), math.log10(low), math.log10(high)
        with np.errstate(over="ignore"):  # far above is 1 all the same
            return np.clip((np.asarray(values) - low) / (high - low), 0.0, 1.0)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Return some `most` + 1 round values and how to write them, in `WIDEST` characters."""
        if self.log:
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            step = -(-(last - first) // max(most, 1))
            return [
                (10.0**decade, f"{10.0**decade:g}" if -2 <= decade <= 3 else f"1e{decade}")
                for decade in range(first, last + 1, step)
            ]
        span = self.high - self.low
        size = nice(span / max(most, 1))
        first, last = math.ceil(self.low / size - _FUZZ), math.floor(self.high / size + _FUZZ)
        values = [size * n for n in range(first, last + 1)]
        if len(values) < 2:
            size, values = nice(span / 10), [self.low, self.high]
        decimals = max(0, -math.floor(math.log10(size) + _FUZZ))
        plain = [f"{value:.{decimals}f}" for value in values]
        if max(map(len, plain)) > WIDEST:
            plain = [scientific(value) for value in values]
        return list(zip(values, plain, strict=True))


UNIT = YRange(0.0, 1.0)
"""The range of an accuracy."""


def grown(x_max: float, start: float = 32) -> float:
    """Return the end of an x axis from 0: `start`, doubled until `x_max` is on it.

    A doubling redraws the whole chart, a sliding axis would do so with every point.
    """
    return start * 2.0 ** max(0, math.ceil(math.log2(max(x_max, 1) / start) - _FUZZ))


def extent(
    views: Iterable[SeriesView], x_low: float, x_high: float, *, log: bool = False
) -> tuple[float, float]:
    """Return the least and the greatest value in sight, positive ones if `log`; NaN without any.

    Of a line that passes through without a point in sight the points on either side count.
    """
    least, greatest = math.inf, -math.inf
    for view in views:
        first = int(np.searchsorted(view.x, x_low, side="left"))
        stop = int(np.searchsorted(view.x, x_high, side="right"))
        if first == stop:
            first, stop = max(first - 1, 0), stop + 1
        lows, highs = view.low[first:stop], view.high[first:stop]
        seen = highs > (0 if log else -math.inf)
        if seen.any():
            lows, highs = lows[seen], highs[seen]
            least = min(least, np.where(lows > 0, lows, highs).min() if log else lows.min())
            greatest = max(greatest, highs.max())
    return (least, greatest) if least <= greatest else (math.nan, math.nan)


def settled(previous: YRange | None, low: float, high: float, *, log: bool = False) -> YRange:
    """Return a round range around `low` to `high`: the previous one as long as it serves.

    It does until values leave it or need less than a quarter of it (half of its decades): a
    change of range redraws the whole chart.
    """
    if previous is not None and previous.log != log:
        previous = None
    if math.isnan(low):
        return previous or (YRange(0.1, 10.0, log=True) if log else UNIT)
    fresh = _round_log(low, high) if log else _round_linear(low, high)
    if previous is None or low < previous.low or high > previous.high:
        return fresh
    if log:
        wasteful = math.log(previous.high / previous.low) > 2 * math.log(fresh.high / fresh.low)
    else:
        wasteful = previous.high - previous.low > 4 * (fresh.high - fresh.low)
    return fresh if wasteful else previous


def _round_linear(low: float, high: float) -> YRange:
    low, high = _bounded(low), _bounded(high)
    if high - low <= _FUZZ * abs(high):
        margin = abs(high) / 10 or 1.0
        low, high = low - margin, high + margin
    size = nice((high - low) / 4)
    return YRange(
        math.floor(low / size + _FUZZ) * size,
        math.ceil(high / size - _FUZZ) * size,
    )


def _bounded(value: float) -> float:
    """Return a value whose quotients and powers of ten a float still holds."""
    return 0.0 if abs(value) < 1 / _HUGE else max(-_HUGE, min(value, _HUGE))


def _round_log(low: float, high: float) -> YRange:
    first, last = (min(max(value, 1 / _HUGE), _HUGE) for value in (low, high))
    first, last = math.floor(math.log10(first)), math.ceil(math.log10(last))
    return YRange(10.0**first, 10.0 ** max(last, first + 1), log=True)


def nice(size: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not below `size`."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(n * power for n in (1, 2, 5, 10) if n * power >= size * (1 - _FUZZ))


def scientific(value: float) -> str:
    """Write a value with one digit and its exponent: 5e5."""
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"
