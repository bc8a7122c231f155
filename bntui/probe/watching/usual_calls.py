"""How often updates call each layer, whatever a single one of them does."""

from collections import deque

STEADY = 3
"""Updates that must have made several calls of a layer: one may follow a step that the optimiser skipped."""


class UsualCalls:
    """The training-mode calls of each layer in the last updates that had any."""

    def __init__(self) -> None:
        self._last: deque[tuple[int, ...]] = deque(maxlen=STEADY)

    def add(self, calls: tuple[int, ...]) -> None:
        """Take note of an update's calls of each layer."""
        if any(calls):
            self._last.append(calls)

    def at_least(self, layers: int) -> tuple[int, ...]:
        """Return how many calls of each of the `layers` all of these updates have made; 0 before there are enough."""
        return tuple(map(min, *self._last)) if len(self._last) == STEADY else (0,) * layers

    def clear(self) -> None:
        """Begin anew: the layers are others."""
        self._last.clear()
