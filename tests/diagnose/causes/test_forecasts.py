"""Forecasts against what happens: weights that stand still, and statistics that really go on.

Truth is read off a run whose rate is next to nothing: its running statistics after every update, by
the same measure of harm, on the whole validation set.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest
from torch import Tensor

from bntui.core.config import Change, RunConfig
from bntui.diagnose.significance import harms
from bntui.measure.counterfactuals import Statistics
from bntui.measure.estimators import OWN
from bntui.measure.evaluation import evaluate
from tests.diagnose.causes.runs import session, small, train

STILL = 1e-12
"""A learning rate at which weights stand still."""


class Forecast(NamedTuple):
    what: str
    said: float
    true: float

    @property
    def near(self) -> bool:
        """Whether it is within 15 % or 5 updates."""
        return abs(self.said - self.true) <= max(5.0, 0.15 * self.true)


MOMENTS: list[tuple[RunConfig, int]] = [
    *((small(seed=seed), updates) for seed, updates in enumerate((40, 60, 90, 120))),
    *((small(seed=seed, knobs={"momentum": 0.97}), 40) for seed in range(2)),
    *((small(seed=seed, knobs={"momentum": 0.995}), 80) for seed in range(2)),
    *((small(seed=seed, knobs={"batch_size": 128}), 50) for seed in range(2)),
    (small(Change(100, "recalibrate"), Change(100, "learning_rate", 0.05)), 110),
    (small(Change(100, "learning_rate", 0.05), knobs={"estimator": "bias-corrected"}), 110),
    (small(Change(100, "learning_rate", 0.05), knobs={"estimator": "cumulative"}), 106),
    (small(norm="ghost", ghost_batch=16), 12),
]


def forecasts(config: RunConfig, updates: int) -> list[Forecast]:
    """Return what is forecast after so many updates, of the whole and of every layer, and the truth."""
    run = train(session(config), updates)
    run.conclude()
    observer, trainer = run.observer, run.trainer
    waiting, by_layer = observer.questions.waiting, observer.questions.layers_waiting
    if waiting is None or by_layer is None:
        return []
    ahead = [waiting.sound_in, *(said for _, said in by_layer.layers)]
    furthest = max((said for said in ahead if math.isfinite(said)), default=0.0)
    fresh = trainer.subject.collect(observer.subsets.fresh.inputs)
    rows = [trainer.estimators[OWN].clone()]
    still = replace(run.knobs, learning_rate=STILL)
    for _ in range(int(1.5 * furthest) + 12):
        run.train_once(still)
        rows.append(trainer.estimators[OWN].clone())
    names, channels = trainer.buffers.names, trainer.buffers.channels

    def harmful(row: Tensor) -> bool:
        split = trainer.subject.validation
        now, best = evaluate(trainer.subject, [row, fresh], split)
        return harms(now.less(best))

    def of_layer(layer: int) -> Callable[[Tensor], Tensor]:
        return lambda row: Statistics(row, fresh, names, channels).fresh_but(layer, row)

    found = [Forecast("whole", waiting.sound_in, last_harmful(rows, harmful))]
    for name, said in by_layer.layers:
        exchange = of_layer(names.index(name))
        layer_rows = [exchange(row) for row in rows]
        found.append(Forecast(name, said, last_harmful(layer_rows, harmful)))
    return found


def last_harmful(rows: Sequence[Tensor], harmful: Callable[[Tensor], bool]) -> float:
    """Return how many updates it takes until a row does no harm, by halving; infinity for never."""
    if not harmful(rows[0]):
        return 0.0
    if harmful(rows[-1]):
        return math.inf
    low, high = 0, len(rows) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if harmful(rows[middle]) else (low, middle)
    return float(high)


@pytest.mark.parametrize("moment", range(len(MOMENTS)))
def test_a_forecast_comes_true_where_weights_stand_still(moment: int) -> None:
    found = forecasts(*MOMENTS[moment])
    assert found
    assert [one for one in found if not one.near] == []
