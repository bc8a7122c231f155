"""What the last updates have done to a watched model's statistics: with which batches, in how many calls."""

from collections import deque
from collections.abc import Sequence

from torch import Tensor

from bntui.measure.estimators import LastMove
from bntui.probe.watching.counted import RECENT
from bntui.probe.watching.recovered import Batches
from bntui.probe.watching.tracked_layer import TrackedLayer, alike

STEADY = 3
"""Updates that must have made several calls of a layer: one may follow a step that the optimiser skipped."""


class LastUpdates:
    """The update under way, and those before it with the same layers."""

    def __init__(self, layers: int = 0) -> None:
        self.calls = (0,) * layers
        """Training-mode calls of each layer in the last update."""
        self.last_move: LastMove | None = None
        """Of the own row; None unless every layer has moved once, with the same momentum."""
        self._taken = Batches()
        """Those of the update under way."""
        self._recent: deque[Batches] = deque(maxlen=RECENT)
        self._calls: deque[tuple[int, ...]] = deque(maxlen=STEADY)
        """Of the last updates with any."""

    @property
    def usual_calls(self) -> tuple[int, ...]:
        """Calls of each layer that each of the last 3 updates with any has made, at the least; 0 before these."""
        if len(self._calls) < STEADY:
            return (0,) * len(self.calls)
        return tuple(map(min, *self._calls))

    def batches(self, own: Tensor) -> Tensor | None:
        """Return the mean (2, C) of the last updates' batch statistics; None before the first.

        Layers that were not called in these have what their buffers hold: `own`, (2, C).
        """
        return Batches.mean(self._recent, own) if any(self._recent) else None

    def take(
        self, layers: Sequence[TrackedLayer], before: Tensor, batch: Tensor, *, whole: bool
    ) -> None:
        """Take a batch (2, channels) that has moved neighbouring layers, in the update under way.

        `before` has what the buffers held; `whole`: the layers are all that there are.
        """
        self._taken.add(layers[0].start, layers[-1].end, batch)
        self.last_move = None
        if whole and alike(layers):
            self.last_move = LastMove(before.float(), batch, 1.0 - layers[0].whole)

    def end(self, calls: tuple[int, ...]) -> None:
        """End the update under way, which has made so many `calls` of each layer."""
        if not self._taken:
            self.last_move = None
        self.calls = calls
        if any(calls):
            self._calls.append(calls)
        self._recent.append(self._taken)
        self._taken = Batches()
