"""The view that all charts of a run share: window, x axis, crosshair, smoothing. Pure; no widgets.

Positions are kept in updates, whatever the x axis counts: the axis can change, and runs that count
images or seconds at another pace can lie beside each other, without any of them being converted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from bntui.core.plan import end_of
from bntui.core.scales import grown
from bntui.core.series import Array, SeriesView
from bntui.core.snapshot import Mark, Snapshot

NARROWEST = 8.0
"""Updates that stay in sight, at least."""
FINEST = 1 / 128
"""Share of the run that stays in sight: a series' 512 to 1,024 buckets leave 4 to 8 of them."""


class Axis(StrEnum):
    """What x counts. The value names the series that counts it, for all but updates."""

    UPDATES = "updates"
    IMAGES = "images"
    SECONDS = "seconds"


START = {Axis.UPDATES: 32.0, Axis.IMAGES: 1000.0, Axis.SECONDS: 30.0}
"""How long an axis is before it doubles."""


@dataclass(frozen=True, slots=True)
class View:
    """What part of the run is in sight, in which unit, and where the crosshair is."""

    axis: Axis = Axis.UPDATES
    window: tuple[float, float] | None = None
    """The updates in sight; None for the whole run, however far it goes."""
    cursor: float | None = None
    """The update that the crosshair is at; None for no crosshair."""
    smooth: bool = False
    log_loss: bool = True

    def zoomed(self, factor: float, newest: float, at: float | None = None) -> View:
        """Show `factor` times less: what is at update `at` or the crosshair stays in place, else the right end.

        `newest` is the run's last update. To show more than the run has is to follow it again.
        """
        at = self.cursor if at is None else at
        low, high = self.window or (0.0, newest)
        size = max((high - low) / factor, NARROWEST, newest * FINEST)
        if size >= newest:
            return replace(self, window=None)
        kept = high if at is None else min(max(at, low), high)
        low = kept - (kept - low) * size / (high - low)
        return replace(self, window=_clamped(low, size, newest))

    def panned(self, share: float, newest: float) -> View:
        """Move the window by a share of its width, within the run's updates 0 to `newest`."""
        if self.window is None:
            return self
        low, high = self.window
        size = high - low
        return replace(self, window=_clamped(low + share * size, size, newest))

    def moved(self, by: int, positions: npt.ArrayLike) -> View:
        """Move the crosshair by so many of the run's recorded positions (ascending updates).

        It appears on the newest. A crosshair between two positions goes to either with one step.
        """
        recorded = np.asarray(positions, dtype=np.float64)
        if not len(recorded):
            return self
        place = len(recorded) - 1
        if self.cursor is not None:
            behind = int(np.searchsorted(recorded, self.cursor, side="right")) - 1
            ahead = int(np.searchsorted(recorded, self.cursor, side="left"))
            place = min(max((behind if by > 0 else ahead) + by, 0), place)
        return self._at(float(recorded[place]), float(recorded[-1]))

    def pointed(self, update: float, positions: npt.ArrayLike) -> View:
        """Put the crosshair on the recorded position that is nearest to an update."""
        recorded = np.asarray(positions, dtype=np.float64)
        if not len(recorded):
            return self
        nearest = recorded[np.argmin(np.abs(recorded - update))]
        return self._at(float(nearest), float(recorded[-1]))

    def jumped(self, direction: int, marks: Iterable[Mark], newest: float) -> View:
        """Move the crosshair to the next mark, or with a negative direction to the previous one.

        It appears on the last mark. Without a mark there it stays.
        """
        updates = sorted({float(mark.update) for mark in marks if mark.update <= newest})
        cursor = self.cursor
        if cursor is None:
            found = updates[-1:]
        elif direction > 0:
            found = [update for update in updates if update > cursor][:1]
        else:
            found = [update for update in updates if update < cursor][-1:]
        return self._at(found[0], newest) if found else self

    def next_axis(self) -> View:
        """Count x in the next unit. Window and crosshair stay where they are."""
        axes = list(Axis)
        return replace(self, axis=axes[(axes.index(self.axis) + 1) % len(axes)])

    def known(self, snapshot: Snapshot) -> View:
        """Return this view, over updates where its unit was not counted in a watched training."""
        uncounted = self.axis is not Axis.UPDATES and self.axis not in snapshot.series
        return replace(self, axis=Axis.UPDATES) if snapshot.watched and uncounted else self

    def reset(self) -> View:
        """Follow the run, without a crosshair. What and how to draw stays as chosen."""
        return replace(self, window=None, cursor=None)

    def sight(
        self, end: float, clock: SeriesView | None, planned: float | None = None
    ) -> tuple[float, float]:
        """Return where x begins and ends, in the axis's unit; `end`: of the longest line to draw.

        Following a run, x ends where the run is `planned` to (see `planned_end`), so that nothing
        moves until then. What goes further, or has no end in sight, has x grow by doubling: a
        sliding axis would redraw everything all the time.
        """
        if self.window is None:
            return 0.0, grown(end, planned or START[self.axis])
        low, high = x_of(self.window, clock).tolist()
        return low, max(high, low + 1e-6 * START[self.axis])

    def _at(self, cursor: float, newest: float) -> View:
        """Move the crosshair; a window that loses it is centred on it, once and not step by step."""
        window = self.window
        if window is not None and not window[0] <= cursor <= window[1]:
            size = window[1] - window[0]
            window = _clamped(cursor - size / 2, size, newest)
        return replace(self, window=window, cursor=cursor)


FOLLOWING = View()
"""The whole run in updates, as it goes on."""


def _clamped(low: float, size: float, newest: float) -> tuple[float, float] | None:
    """Return the window of this size within the run that is nearest to the wanted one."""
    if size >= newest:
        return None
    low = min(max(low, 0.0), newest - size)
    return low, low + size


def x_of(updates: npt.ArrayLike, clock: SeriesView | None) -> Array:
    """Return where updates lie on an axis, linear between the times at which its count was taken.

    `clock` is the series that counts the axis's unit over updates, `snapshot.series.get(axis)`:
    None for an axis in updates. Beyond its ends lie the first update, at 0, and the newest.
    """
    places = np.asarray(updates, dtype=np.float64)
    return places if clock is None else np.asarray(np.interp(places, *_knots(clock)))


def updates_of(x: npt.ArrayLike, clock: SeriesView | None) -> Array:
    """Return which updates lie at `x` of an axis: the inverse of `x_of`."""
    places = np.asarray(x, dtype=np.float64)
    return places if clock is None else np.asarray(np.interp(places, *_knots(clock)[::-1]))


def along(view: SeriesView, clock: SeriesView | None) -> SeriesView:
    """Return a series over updates as one over the axis that `clock` counts."""
    return view if clock is None else replace(view, x=x_of(view.x, clock))


def _knots(clock: SeriesView) -> tuple[Array, Array]:
    return np.append(0.0, clock.x), np.append(0.0, clock.last)


def planned_end(
    snapshot: Snapshot, axis: Axis, ghosts: Iterable[tuple[str, Snapshot]] = ()
) -> float | None:
    """Return where the x axis of a run's charts is to end, for `View.sight`; None: nobody knows.

    That is where the run is planned to end, or where a ghost that went further did. Nobody plans
    how many seconds a run takes.
    """
    planned = None if axis is Axis.SECONDS else end_of(snapshot)
    if planned is None:
        return None
    own = planned.images if axis is Axis.IMAGES else planned.update
    return max([float(own), *(reached(ghost, axis) for _, ghost in ghosts)])


def reached(snapshot: Snapshot, axis: Axis) -> float:
    """Return how far a run has come, in the unit of an axis.

    Of the thread's own runs, which are no more than their curves, the last point counts.
    """
    curve = snapshot.series.get("val_acc")
    last = max(float(snapshot.update), float(curve.x[-1]) if curve else 0.0)
    return float(x_of(last, snapshot.series.get(axis)))
