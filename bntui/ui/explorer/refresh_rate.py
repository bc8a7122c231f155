"""How often the screen polls the run."""

import time
from collections.abc import Callable

CORE_SHARE = 0.02
"""Share of a core that the screen may take: on two cores, training lacks what the screen takes."""
LONGEST_WAIT = 0.25
"""Seconds between two polls, at most, whatever they cost."""


class RefreshRate:
    """Says when to poll next, from what the last poll has cost.

    Counts the processor time of the thread that calls it: drawing, sending, and keys as well.
    """

    def __init__(
        self, most_per_second: float, clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._shortest = 1.0 / most_per_second
        self._clock = clock
        self._seen = clock()

    def wait(self) -> float:
        """Return the seconds until the next poll."""
        spent, self._seen = self._clock() - self._seen, self._clock()
        return max(self._shortest, min(spent / CORE_SHARE, LONGEST_WAIT))
