"""Running statistics: what every estimator of them makes of a run's batches.

Running statistics never feed back into training, so one run can carry any number of estimators;
batch renorm alone reads the run's own. Each keeps one row (2, C), as `layers.py` has them.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from bntui.core.border import Count, Read, Share
from bntui.core.estimators import MOMENTA, NAMED, ROWS
from bntui.core.settings import judged_one
from bntui.measure.kept_tensors import like
from bntui.measure.layers import Layers

OWN = "own"
CORRECTED = "bias-corrected"
CUMULATIVE = "cumulative"
WARM_UP = "warm-up"
ESTIMATORS = (OWN, *ROWS)
"""The rows that every run keeps: the user's own first, which follows live changes of momentum."""


def initial(layers: Layers) -> Tensor:
    """Return the row that Keras and torch start from: mean 0, variance 1."""
    row = torch.zeros(2, sum(layers.channels), device=layers.device)
    row[1] = 1.0
    return row


@dataclass(frozen=True, slots=True, eq=False)
class LastMove:
    """What the last update did to the user's own row: row = kept · before + (1 − kept) · batch."""

    before: Tensor
    batch: Tensor
    kept: Share


@dataclass(frozen=True, slots=True)
class EstimatorsState:
    """The rows, and what the next update of them depends on."""

    rows: Tensor
    start_left: Share
    own: Annotated[str, Read(lambda name: judged_one("estimator", name))]
    momenta_product: Share
    updates: Count
    last_move: LastMove | None = None
    """Missing in states of earlier versions."""


class Estimators:
    """Every row of running statistics of a run, moved together by one `lerp` an update.

    Each moves as the table of estimators says (`core/estimators.py`), or with one of the constant
    `MOMENTA`. The user's own row follows one of these, too: plain momentum unless `update` is told
    another.
    """

    def __init__(self, layers: Layers) -> None:
        self.rows = initial(layers).expand(len(ESTIMATORS), -1, -1).clone()
        """(estimators, 2, C), in the order of `ESTIMATORS`."""
        self.start_left = 1.0
        """The share of the start value in the user's own row: 0 once it was recalibrated."""
        self.last_move: LastMove | None = None
        """None before the first update, and where the own row was replaced since the last one."""
        self._own = "momentum"
        self._momenta_product = 1.0
        self._updates = 0

    def __getitem__(self, name: str) -> Tensor:
        """Return the row (2, C) of one estimator."""
        return self.rows[ESTIMATORS.index(name)]

    def update(self, batch: Tensor, momentum: float, own: str = "momentum") -> None:
        """Move every row towards the statistics (2, C) of one batch.

        `own` tells how the user's own row is estimated: one of `core.estimators.OWN_ESTIMATORS`. Turned to
        an estimator without start value, it goes on from what that one has made of the run so far.
        """
        if own != self._own and own in ESTIMATORS and self._updates:
            self[OWN].copy_(self[own])
            self.start_left = 0.0
        self._own = own
        self._updates += 1
        self._momenta_product *= momentum
        kept = {
            one.name: one.kept(momentum, self._updates, self._momenta_product)
            for one in NAMED
            if one.kept
        }
        own_kept = kept.get(own, momentum)
        self.start_left *= own_kept
        weights = [1.0 - share for share in (own_kept, *MOMENTA, *kept.values())]
        weight = torch.tensor(weights, dtype=batch.dtype).to(batch.device, non_blocking=True)
        self.last_move = LastMove(self[OWN].clone(), batch, own_kept)
        self.rows.lerp_(batch, weight[:, None, None])

    def left_after(self, moves: float, momentum: float) -> float:
        """Return the share of the user's own row that so many more updates of it leave.

        `momentum` is the share that each keeps, where it is a constant.
        """
        before, after = self._updates, self._updates + moves
        if self._own == CUMULATIVE:
            return before / after if after else 1.0
        if self._own == WARM_UP:  # 1 − 1/t until that is as much as the momentum
            plain = min(max(before, 1.0 / (1.0 - momentum)), after)
            return (before / plain if plain else 1.0) * float(momentum ** (after - plain))
        left = float(momentum**moves)
        if self._own == CORRECTED:
            product = self._momenta_product
            return left * (1.0 - product) / (1.0 - product * left) if product < 1.0 else 1.0
        return left

    def state(self) -> EstimatorsState:
        """Return what `restore` needs to go on from here."""
        return EstimatorsState(
            self.rows,
            self.start_left,
            self._own,
            self._momenta_product,
            self._updates,
            self.last_move,
        )

    def restore(self, state: EstimatorsState) -> None:
        """Go on from a state. In place: layers may look at the rows. Raises BorderError."""
        self.rows.copy_(like(self.rows, state.rows, "running statistics"))
        last = state.last_move
        self.last_move = last and LastMove(
            like(self[OWN], last.before, "running statistics before the last update"),
            like(self[OWN], last.batch, "statistics of the last batch"),
            last.kept,
        )
        self.start_left = state.start_left
        self._own = state.own
        self._momenta_product = state.momenta_product
        self._updates = state.updates

    @property
    def unstarted(self) -> Tensor:
        """The user's own row without its start value: (2, C)."""
        return self[CORRECTED] if self.start_left else self[OWN]

    def recalibrate(self, row: Tensor) -> None:
        """Replace the user's own row; the others stay what they would have been."""
        self[OWN].copy_(row)
        self.start_left = 0.0
        self.last_move = None
