"""How long a sweep that is under way still takes, by what its finished runs took. Pure."""

import math

from bntui.core.sweep import Standing, SweepView

_MINUTE, _HOUR = 60.0, 3600.0
_UP_TO_SECONDS, _UP_TO_MINUTES = 90.0, 5400.0


def time_left(view: SweepView) -> str:
    """Return about how long a sweep still takes: "about 2 min left"; empty while no run has finished."""
    seconds = seconds_left(view)
    if math.isnan(seconds):
        return ""
    if seconds < _UP_TO_SECONDS:
        return f"about {max(1, round(seconds))} s left"
    if seconds < _UP_TO_MINUTES:
        return f"about {seconds / _MINUTE:.0f} min left"
    return f"about {seconds / _HOUR:.1f} h left"


def seconds_left(view: SweepView) -> float:
    """Return how many seconds a sweep still takes, if as many runs are under way at once as now.

    A run takes as long as the finished ones of the same settings and other seeds took, else as all
    finished ones took on average. NaN while none is finished.
    """
    took: dict[tuple[object, ...], tuple[float, int]] = {}
    for one in view.cells:
        if one.standing is Standing.FINISHED and one.seconds > 0.0:
            seconds, runs = took.get(one.cell.values, (0.0, 0))
            took[one.cell.values] = seconds + one.seconds, runs + 1
    if not took:
        return math.nan
    every = tuple(map(sum, zip(*took.values(), strict=True)))
    left = 0.0
    for one in view.cells:
        if one.standing is not Standing.FINISHED and one.standing is not Standing.FAILED:
            seconds, runs = took.get(one.cell.values, every)
            left += max(0.0, seconds / runs - one.seconds)
    return left / max(1, view.count(Standing.RUNNING))
