"""The map of every momentum in hindsight: moments of a run, thinned out as it grows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from bntui.core.border import BorderError, Count, Length, Positive, Share
from bntui.core.measured import Difference, Doubles, Hindsight

CAPACITY = 512


@dataclass(frozen=True, slots=True)
class Moment:
    """Validation accuracy of one update's weights, under every row of statistics."""

    update: int
    accuracy: tuple[float, ...]
    own: float
    fresh: float
    momentum: float
    gains: tuple[Difference, ...] = ()
    """Every row less the run's own, and less the best row; not kept with a run's state."""
    behind: tuple[Difference, ...] = ()
    recommended: Share | None = None
    """The constant momentum that this moment, and those before it, recommend."""


@dataclass(frozen=True, slots=True)
class MomentsState:
    """The moments that are shown, and of how many offered each of them is one."""

    moments: Annotated[list[Moment], Length(0, CAPACITY)]
    stride: Positive
    offered: Count


class Moments:
    """At most `CAPACITY` moments: when full, every second one is dropped, and of those to come."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._moments: list[Moment] = []
        self._stride = 1
        self._offered = 0
        self._view: Hindsight | None = None

    def __bool__(self) -> bool:
        return bool(self._moments)

    @property
    def recommended(self) -> float | None:
        """The momentum that the last moment recommends."""
        return self._moments[-1].recommended if self._moments else None

    def append(self, moment: Moment) -> None:
        """Add a moment later than all others; it always shows until the next one comes."""
        if self._offered % self._stride:
            self._moments.pop()  # the newest stood in for its successors
        self._moments.append(moment)
        self._offered += 1
        if len(self._moments) == CAPACITY and not self._offered % self._stride:
            self._moments = self._moments[1::2]
            self._stride *= 2
        self._view = None

    def forget_comparisons(self) -> None:
        """Forget how rows compare with the run's own: that is another from now on."""
        self._moments = [replace(moment, gains=(), behind=()) for moment in self._moments]
        self._view = None

    def state(self) -> MomentsState:
        """Return what `restore` needs to go on from here."""
        moments = [replace(moment, gains=(), behind=()) for moment in self._moments]
        return MomentsState(moments, self._stride, self._offered)

    def restore(self, state: MomentsState) -> None:
        """Go on from a state with the same names. Raises BorderError."""
        updates = [moment.update for moment in state.moments]
        if (
            updates != sorted(updates)
            or len(updates) > state.offered
            or (state.offered % state.stride and not updates)
            or any(len(moment.accuracy) != len(self._names) for moment in state.moments)
        ):
            raise BorderError("the map of all momenta does not fit, or its updates fall")
        self._moments = list(state.moments)
        self._stride = state.stride
        self._offered = state.offered
        self._view = None

    def view(self, images: int) -> Hindsight:
        """Return the moments as arrays; the same object until one is added."""
        if self._view is None:
            self._view = Hindsight(
                names=self._names,
                images=images,
                updates=_frozen([moment.update for moment in self._moments]),
                accuracy=_frozen([moment.accuracy for moment in self._moments]).T,
                own=_frozen([moment.own for moment in self._moments]),
                fresh=_frozen([moment.fresh for moment in self._moments]),
                momentum=_frozen([moment.momentum for moment in self._moments]),
                gains=self._moments[-1].gains,
                behind=self._moments[-1].behind,
                recommended=self.recommended,
            )
        return self._view


def _frozen(values: Sequence[object]) -> Doubles:
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array
