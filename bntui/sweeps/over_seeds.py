"""Median, least and greatest over the seeds of a place. Pure; imports no torch."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bntui.core.series import Array


class OverSeeds(NamedTuple):
    """Of groups of cells, what their values are: (groups, columns) each; NaN where none is measured."""

    median: Array
    """Of an even number the mean of the middle two; the lower of them where the other is infinite."""
    least: Array
    greatest: Array
    measured: npt.NDArray[np.intp]
    """How many values there are."""


def over_seeds(values: Array, group: npt.NDArray[np.intp], groups: int) -> OverSeeds:
    """Return what the values (cells, columns) are in each group of cells; NaN is not a value."""
    counts = np.bincount(group, minlength=groups)
    order = np.argsort(group, kind="stable")
    nth = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
    most = max(int(counts.max(initial=0)), 1)
    seeds = np.full((most, groups, values.shape[1]), np.nan)
    seeds[nth, group[order]] = values[order]
    seeds.sort(axis=0)  # NaN last
    measured = (~np.isnan(seeds)).sum(axis=0)

    def nth_value(place: npt.NDArray[np.intp]) -> Array:
        taken: Array = np.take_along_axis(seeds, np.maximum(place, 0)[None], axis=0)[0]
        return taken

    low, high = nth_value((measured - 1) // 2), nth_value(np.minimum(measured // 2, most - 1))
    median = np.where(np.isinf(high), low, (low + high) / 2)
    return OverSeeds(median, seeds[0], nth_value(measured - 1), measured)
