"""A history of fixed size that keeps every minimum and maximum when it thins out."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from bntui.core.border import BorderError, Count, Positive, Read, Within

Array = npt.NDArray[np.float64]
_FUZZ = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class SeriesView:
    """A read-only copy of a series: one entry a bucket, oldest first.

    `x` is the position of the bucket's last value; `low` and `high` are over the bucket's
    finite values (NaN where it has none), `last` is its newest value (NaN if that is not finite); `broken` tells which buckets hold a non-finite value.
    """

    x: Array
    low: Array
    high: Array
    last: Array
    broken: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.x)

    @property
    def latest(self) -> float:
        """The newest value: NaN if there is none or if it was not finite."""
        return float(self.last[-1]) if len(self.x) else float("nan")


def value_at(view: SeriesView, x: float) -> float | None:
    """Return the last value at or before `x`: NaN if it is not finite, None if there is none."""
    place = int(np.searchsorted(view.x, x + _FUZZ * abs(x), side="right"))
    return float(view.last[place - 1]) if place else None


def _grid(value: object) -> Array:
    if not isinstance(value, np.ndarray) or value.dtype != np.float64 or value.ndim != 2:
        raise ValueError("rows of numbers")
    return value


def _flags(value: object) -> npt.NDArray[np.bool_]:
    if not isinstance(value, np.ndarray) or value.dtype != np.bool_ or value.ndim != 1:
        raise ValueError("a row of yes and no")
    return value


@dataclass(frozen=True, slots=True, eq=False)
class SeriesState:
    """The buckets of a series that are in use."""

    values: Annotated[Array, Read(_grid)]
    """(4, n): x, low, high, last."""
    broken: Annotated[npt.NDArray[np.bool_], Read(_flags)]
    stride: Positive
    count: Count


def _frozen(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


class Series:
    """Appended to by one thread, in time and memory that do not grow with the run.

    A bucket holds `stride` consecutive values. When all buckets are full, neighbours merge and the
    stride doubles, so that at least half of the capacity is always in use.
    """

    def __init__(self, capacity: int = 1024) -> None:
        if capacity < 2 or capacity % 2:
            raise ValueError("capacity must be an even number, 2 or more")
        self._values = np.full((4, capacity), np.nan)  # x, low, high, last
        self._broken = np.zeros(capacity, dtype=np.bool_)
        self._stride = 1
        self._count = 0
        self._view: SeriesView | None = None

    @classmethod
    def of(cls, x: npt.ArrayLike, values: npt.ArrayLike, capacity: int = 1024) -> "Series":
        """Return a series to which all of `values` (n,) were appended at `x`. Raises BorderError if `x` falls."""
        series, view = cls(capacity), thinned(x, values, capacity)
        count, stride = len(np.asarray(values)), 1
        while count > capacity * stride:
            stride *= 2
        if count:
            rows = np.stack([view.x, view.low, view.high, view.last])
            series.restore(SeriesState(rows, view.broken, stride, count))
        return series

    def append(self, x: float, value: float) -> None:
        """Add one value at position `x`, which must not fall below the last one."""
        capacity = len(self._broken)
        if self._count == capacity * self._stride:
            self._halve()
        bucket, position = divmod(self._count, self._stride)
        finite = np.isfinite(value)
        cell = self._values[:, bucket]
        if position == 0:
            cell[1:] = np.nan
            self._broken[bucket] = False
        cell[0] = x
        if finite:
            cell[1] = np.fmin(cell[1], value)
            cell[2] = np.fmax(cell[2], value)
        cell[3] = value if finite else np.nan
        self._broken[bucket] |= not finite
        self._count += 1
        self._view = None

    def view(self) -> SeriesView:
        """Return what has been appended so far; the same object until more is."""
        if self._view is None:
            used = -(-self._count // self._stride)
            x, low, high, last = (_frozen(row[:used]) for row in self._values)
            self._view = SeriesView(x, low, high, last, _frozen(self._broken[:used]))  # type: ignore[arg-type]
        return self._view

    def state(self) -> SeriesState:
        """Return what `restore` needs to go on from here."""
        used = -(-self._count // self._stride)
        return SeriesState(self._values[:, :used], self._broken[:used], self._stride, self._count)

    def restore(self, state: SeriesState) -> None:
        """Go on from a state of a series of the same capacity. Raises BorderError."""
        used, x = len(state.broken), state.values[0]
        if (
            used > len(self._broken)
            or state.values.shape != (4, used)
            or used != -(-state.count // state.stride)
            or not np.isfinite(x).all()
            or (np.diff(x) < 0).any()
        ):
            raise BorderError("a history does not fit, or its updates fall")
        self._values[:, :used] = state.values
        self._broken[:used] = state.broken
        self._stride = state.stride
        self._count = state.count
        self._view = None

    def _halve(self) -> None:
        left, right = self._values[:, ::2], self._values[:, 1::2]
        half = left.shape[1]
        merged = np.stack(
            [right[0], np.fmin(left[1], right[1]), np.fmax(left[2], right[2]), right[3]]
        )
        self._broken[:half] = self._broken[::2] | self._broken[1::2]
        self._values[:, :half] = merged
        self._stride *= 2


def thinned(x: npt.ArrayLike, values: npt.ArrayLike, capacity: int = 1024) -> SeriesView:
    """Return what a `Series` of this capacity shows once all of `values` (n,) were appended at `x`."""
    x, values = np.asarray(x, dtype=np.float64), np.asarray(values, dtype=np.float64)
    count, stride = len(values), 1
    while count > capacity * stride:
        stride *= 2
    starts = np.arange(0, count, stride)
    if not count:
        return Series(capacity).view()
    ends = np.minimum(starts + stride, count) - 1
    finite = np.where(np.isfinite(values), values, np.nan)
    columns = (
        x[ends],
        np.fmin.reduceat(finite, starts),
        np.fmax.reduceat(finite, starts),
        finite[ends],
        np.logical_or.reduceat(~np.isfinite(values), starts),
    )
    return SeriesView(*(_frozen(column) for column in columns))  # type: ignore[arg-type]


SmoothingState = tuple[
    Annotated[float, Within(-1e300, 1e300)], Annotated[float, Within(0.0, 1e300)]
]
"""The sum of what was averaged, and its weight."""


class Smoothing:
    """An exponential moving average without a start value, over the whole history, one by one.

    Weights fall by a factor e in `span` values. What is not finite is passed through and left out.
    """

    def __init__(self, span: float = 16.0) -> None:
        self._keep = math.exp(-1.0 / span)
        self._sum = 0.0
        self._weight = 0.0

    def next(self, value: float) -> float:
        """Return the average up to and including `value`."""
        if not math.isfinite(value):
            return value
        self._sum = self._keep * self._sum + value
        self._weight = self._keep * self._weight + 1.0
        return self._sum / self._weight

    def state(self) -> SmoothingState:
        """Return what `restore` needs to go on from here."""
        return self._sum, self._weight

    def restore(self, state: SmoothingState) -> None:
        """Go on from a state."""
        self._sum, self._weight = state
