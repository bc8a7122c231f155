"""When to look at the weights of a training: at every so many updates, or as a share of the time allows."""

from collections.abc import Callable

from bntui.machine import clock
from bntui.measure.budget import Budget

VALIDATION, HINDSIGHT = "validation", "hindsight"
KINDS = (VALIDATION, HINDSIGHT)
"""What is looked at, in turn."""
FIRST = 8
"""The update of the first look that keeps to the share: before, weights are far from what they will be."""


class Schedule:
    """Counts the time of a training, and what watching takes of it."""

    def __init__(
        self, every: int | None, share: float, now: Callable[[], float] = clock.now
    ) -> None:
        self._every = every
        self._looks = share > 0.0
        self._budget = Budget(now, shares=(share, share))
        self._now = now
        self._booked = 0.0
        """Seconds of what is done at every update; they are not looks', and can't be spared."""
        self._looked = 0
        self._budget.begin()

    @property
    def seconds(self) -> float:
        """Seconds since watching began."""
        return self._budget.total

    @property
    def share(self) -> float:
        """The share of them that looks and the work at every update have taken."""
        total = self._budget.total
        return (self._budget.observing + self._booked) / total if total else 0.0

    def book(self, work: Callable[[], object]) -> None:
        """Do what is done at every update."""
        began = self._now()
        try:
            work()
        finally:
            self._booked += self._now() - began
            self._budget.trained()

    def due(self, update: int) -> tuple[str, ...]:
        """Return what is to be looked at after an update."""
        if self._every is not None:
            return () if update % self._every else KINDS
        kind = KINDS[self._looked % len(KINDS)]
        if not self._looks or update < FIRST or not self._budget.allows(kind):
            return ()
        self._looked += 1
        return (kind,)

    def begin(self) -> None:
        """Start the clock of a look: what went before was training."""
        self._budget.trained()

    def looked(self, kind: str = "") -> None:
        """Count the time since as a look of a kind."""
        self._budget.observed(kind)
