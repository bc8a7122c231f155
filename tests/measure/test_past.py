"""What is kept of the past: every channel's numbers, the last update of them, and how many validations."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from bntui.core.config import Knobs, Observation
from bntui.core.thinned import Thinned
from bntui.measure.estimators import OWN
from bntui.measure.observer import MOST_PAST, PAST_BYTES, Observer, _most_past
from bntui.train.trainer import Trainer
from tests.measure.oracle import small_trainer, train


@pytest.fixture
def trainer() -> Trainer:
    return small_trainer()


def observed(trainer: Trainer) -> Observer:
    return Observer(trainer, Observation(live=True), seed=0)


class TestValues:
    def test_they_are_the_layers_own_and_the_last_update_leads_to_them(
        self, trainer: Trainer
    ) -> None:
        train(trainer, 7, Knobs(batch_size=25, momentum=0.9))
        observer = observed(trainer)
        observer.validate()
        assert observer.validation
        rows = trainer.buffers.parts(trainer.estimators[OWN])
        for found, layer, row in zip(
            observer.validation.layers, trainer.buffers.layers, rows, strict=True
        ):
            values = found.detail.values
            assert values
            np.testing.assert_allclose(values.running, row.numpy())
            np.testing.assert_allclose(values.scale, layer.weight.detach().numpy())
            np.testing.assert_allclose(values.shift, layer.bias.detach().numpy())
            assert values.epsilon == layer.eps
            assert values.kept == 0.9
            np.testing.assert_allclose(
                values.running, 0.9 * values.before + 0.1 * values.batch, rtol=1e-5, atol=1e-7
            )
            deviation = np.sqrt(values.fresh[1] + values.epsilon)
            np.testing.assert_allclose(
                found.detail.mean_gap, (values.running[0] - values.fresh[0]) / deviation, rtol=1e-5
            )
            with pytest.raises(ValueError, match="read-only"):
                values.running[0, 0] = 1.0

    def test_before_the_first_update_and_after_a_recalibration_there_is_no_last_one(
        self, trainer: Trainer
    ) -> None:
        observer = observed(trainer)

        def kept() -> float:
            observer.validate()
            assert observer.validation
            values = observer.validation.layers[0].detail.values
            assert values
            assert np.isnan(values.before).all() == math.isnan(values.kept)
            return values.kept

        assert math.isnan(kept())
        train(trainer, 2, Knobs(batch_size=25))
        assert kept() == 0.99
        observer.recalibrate(apply=True)
        assert math.isnan(kept())
        train(trainer, 1, Knobs(batch_size=25))
        assert kept() == 0.99
        trainer.estimators.restore(replace(trainer.estimators.state(), last_move=None))
        assert math.isnan(kept())  # of a checkpoint that an earlier version has written

    def test_measuring_them_changes_no_statistics(self, trainer: Trainer) -> None:
        train(trainer, 2, Knobs(batch_size=25))
        before = trainer.estimators.rows.clone()
        observed(trainer).validate()
        assert torch.equal(before, trainer.estimators.rows)


class TestPast:
    def test_validations_are_kept_with_their_channels_and_the_newest_is_the_last(
        self, trainer: Trainer
    ) -> None:
        observer = observed(trainer)
        for _ in range(3):
            train(trainer, 1, Knobs(batch_size=25))
            observer.validate()
        assert [one.update for one in observer.past] == [1, 2, 3]
        assert observer.past[-1] is observer.validation
        assert all(one.layers[0].detail.values for one in observer.past)

    def test_at_most_so_many_and_fewer_where_they_are_larger(self, trainer: Trainer) -> None:
        assert _most_past(trainer.buffers) == MOST_PAST
        wide = type("Wide", (), {"channels": (1_000_000,)})()
        assert _most_past(wide) == 2
        large = type("Large", (), {"channels": (20_000,)})()
        assert _most_past(large) == PAST_BYTES // (4 * 18 * 20_000) // 2 * 2


class TestThinned:
    @pytest.mark.parametrize("capacity", [2, 4, 64])
    def test_they_are_spread_over_all_that_were_offered(self, capacity: int) -> None:
        thinned = Thinned[int](capacity)
        for number in range(1, 1000):
            thinned.append(number)
            kept = thinned.items
            assert kept[-1] == number
            assert len(kept) <= capacity
            if number > 2 * capacity:
                assert len(kept) >= capacity // 2
            gaps = {b - a for a, b in pairwise(kept[:-1])}
            assert gaps <= {thinned.stride}

    def test_it_goes_on_from_a_state(self) -> None:
        one, other = Thinned[int](8), Thinned[int](8)
        for number in range(21):
            one.append(number)
        other.restore(one.items, one.stride, one.offered)
        for number in range(21, 50):
            one.append(number)
            other.append(number)
            assert one.items == other.items
