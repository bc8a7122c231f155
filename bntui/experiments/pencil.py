"""A curve of accuracy that a reader draws before an experiment runs, and how far off it turned out to be."""

import math
from dataclasses import dataclass, replace

import numpy as np

from bntui.core.series import Array, SeriesView

STEPS = 20
"""Into how many equal parts a pencil divides the run, and the accuracy from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Pencil:
    """A line over a whole run, drawn from its beginning to its end, and the place where the pencil is."""

    levels: tuple[int, ...] = (STEPS // 2,) * (STEPS + 1)
    """Accuracy at each place, in parts of 1."""
    place: int = 0
    """Where the pencil is, from 0 at the beginning of the run to `STEPS` at its end."""

    @property
    def share(self) -> float:
        """The share of the run that lies before the pencil."""
        return self.place / STEPS

    @property
    def accuracy(self) -> float:
        """The accuracy under the pencil."""
        return self.levels[self.place] / STEPS

    def moved(self, by: int) -> "Pencil":
        """Move the pencil to the right, or to the left if `by` is negative, as far as the run goes."""
        return replace(self, place=_within(self.place + by))

    def raised(self, by: int) -> "Pencil":
        """Raise the line from the pencil on, or lower it if `by` is negative."""
        return self.at(self.place, self.levels[self.place] + by)

    def at(self, place: int, level: int) -> "Pencil":
        """Put the pencil to a place, and the line from there on to a level."""
        place, level = _within(place), _within(level)
        kept = self.levels[:place]
        return Pencil((*kept, *[level] * (STEPS + 1 - place)), place)

    def line(self, end: float) -> SeriesView:
        """Return what was drawn as a series over a run that ends at update `end`."""
        accuracy = self._accuracies
        return SeriesView(_places(end), accuracy, accuracy, accuracy, np.isnan(accuracy))

    def off(self, measured: SeriesView, end: float) -> float:
        """Return how far the line is from what was measured, on average over the measured part of the run.

        Both are compared at the places of the pencil that lie between two measurements. NaN where
        there is no such place.
        """
        known = np.isfinite(measured.last)
        x, values = measured.x[known], measured.last[known]
        places = _places(end)
        seen = (places >= x[0]) & (places <= x[-1]) if len(x) else np.zeros(len(places), dtype=bool)
        if not seen.any():
            return math.nan
        outcome = np.interp(places[seen], x, values)
        return float(np.abs(self._accuracies[seen] - outcome).mean())

    @property
    def _accuracies(self) -> Array:
        return np.array(self.levels) / STEPS


def _places(end: float) -> Array:
    return np.linspace(0.0, end, STEPS + 1)


def _within(number: int) -> int:
    return min(max(number, 0), STEPS)
