"""How often the screen follows the run."""

import time
from collections.abc import Callable

SHARE = 0.02
"""Of a core, for following the run: on two cores, what the screen takes training misses."""
LONGEST = 0.25
"""Seconds between two looks, at most, whatever they cost."""


class Rhythm:
    """Says when to look next, from what the last look has cost.

    Counts the processor time of the thread that calls it: drawing, sending, and keys as well.
    """

    def __init__(
        self, most_per_second: float, clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._shortest = 1.0 / most_per_second
        self._clock = clock
        self._seen = clock()
        self._told = 0.0

    def wait(self) -> float:
        """Return the seconds until the next look."""
        spent, self._seen = self._clock() - self._seen, self._clock()
        return max(self._shortest, min(spent / SHARE, LONGEST))

    def another_second(self) -> bool:
        """Return whether a second has passed since this was last so."""
        now = time.monotonic()
        if now - self._told < 1.0:
            return False
        self._told = now
        return True
