"""Keeps observing to its share of a run's time."""

from collections.abc import Callable
from dataclasses import dataclass

from bntui.core.border import Seconds
from bntui.machine import clock

OPENING_SECONDS = 60.0
OPENING_SHARE = 0.5
"""Share of the time that observing may take in a run's first minute, when statistics change most."""
LATER_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class BudgetState:
    """Seconds spent, and what each kind of observation took the last time."""

    training: Seconds
    observing: Seconds
    opening: tuple[Seconds, Seconds]
    costs: dict[str, Seconds]


class Budget:
    """Decides whether observing may go on, so that it keeps to its share of the time.

    What is not asked for here counts as well: Keras's validation at the ends of epochs.
    """

    def __init__(
        self,
        now: Callable[[], float] = clock.now,
        *,
        shares: tuple[float, float] = (OPENING_SHARE, LATER_SHARE),
    ) -> None:
        """`shares` are those of the first `OPENING_SECONDS`, and of the time after them."""
        self.training = 0.0
        self.observing = 0.0
        self._now = now
        self._shares = shares
        self._opening = (0.0, 0.0)
        self._costs: dict[str, float] = {}
        self._since = now()

    @property
    def total(self) -> float:
        """Seconds spent training and observing."""
        return self.training + self.observing

    def begin(self) -> None:
        """Start the watch: what went before is not counted."""
        self._since = self._now()

    def trained(self) -> None:
        """Count the time since the last call of any of these as training."""
        self.training += self._lap()

    def observed(self, kind: str = "") -> None:
        """Count the time since the last call of any of these as observing: the price of `kind`."""
        lap = self._lap()
        self.observing += lap
        if kind:
            self._costs[kind] = lap

    def price(self, kind: str) -> float:
        """Return the seconds that the last of `kind` took; 0 if there was none."""
        return self._costs.get(kind, 0.0)

    def allows(self, kind: str) -> bool:
        """Tell whether one more of `kind`, as dear as its last, keeps within the share."""
        if self.total <= OPENING_SECONDS:
            self._opening = (self.total, self.observing)
            total, observing, share = self.total, self.observing, self._shares[0]
        else:
            total, observing = self.total - self._opening[0], self.observing - self._opening[1]
            share = self._shares[1]
        cost = self.price(kind)
        return observing + cost <= share * (total + cost)

    def state(self) -> BudgetState:
        """Return what `restore` needs to go on from here."""
        return BudgetState(self.training, self.observing, self._opening, self._costs)

    def restore(self, state: BudgetState) -> None:
        """Go on from a state, with the watch started."""
        self.training = state.training
        self.observing = state.observing
        self._opening = state.opening
        self._costs = dict(state.costs)
        self.begin()

    def _lap(self) -> float:
        now = self._now()
        lap, self._since = now - self._since, now
        return lap
