"""The map of every momentum in hindsight: moments of a run, thinned out as it grows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from bntui.core.border import BorderError, Count, Length, Positive, Share
from bntui.core.measured import Difference, Doubles, Hindsight
from bntui.core.thinned import Thinned

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
    """At most `CAPACITY` moments, thinned out as the run goes on."""

    def __init__(self, names: Sequence[str], *, distance: bool = False) -> None:
        """Numbers are accuracies, or distances: see `Hindsight.distance`."""
        self._names = tuple(names)
        self._distance = distance
        self._moments = Thinned[Moment](CAPACITY)
        self._view: Hindsight | None = None

    def __bool__(self) -> bool:
        return bool(self._moments.items)

    @property
    def recommended(self) -> float | None:
        """The momentum that the last moment recommends."""
        moments = self._moments.items
        return moments[-1].recommended if moments else None

    def append(self, moment: Moment) -> None:
        """Add a moment later than all others; it always shows until the next one comes."""
        self._moments.append(moment)
        self._view = None

    def forget_comparisons(self) -> None:
        """Forget how rows compare with the run's own: that is another from now on."""
        self._moments.items = self._alone()
        self._view = None

    def state(self) -> MomentsState:
        """Return what `restore` needs to go on from here."""
        return MomentsState(self._alone(), self._moments.stride, self._moments.offered)

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
        self._moments.restore(state.moments, state.stride, state.offered)
        self._view = None

    def view(self, images: int) -> Hindsight:
        """Return the moments as arrays; the same object until one is added."""
        moments = self._moments.items
        if self._view is None:
            self._view = Hindsight(
                names=self._names,
                images=images,
                updates=_frozen([moment.update for moment in moments]),
                accuracy=_frozen([moment.accuracy for moment in moments]).T,
                own=_frozen([moment.own for moment in moments]),
                fresh=_frozen([moment.fresh for moment in moments]),
                momentum=_frozen([moment.momentum for moment in moments]),
                gains=moments[-1].gains,
                behind=moments[-1].behind,
                recommended=self.recommended,
                distance=self._distance,
            )
        return self._view

    def _alone(self) -> list[Moment]:
        return [replace(moment, gains=(), behind=()) for moment in self._moments.items]


def _frozen(values: Sequence[object]) -> Doubles:
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array
