"""Every estimator's row after real batches, against its formula summed term by term."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
import torch

from bntui.core.config import Knobs
from bntui.core.estimators import MOMENTA
from bntui.measure.estimators import (
    CORRECTED,
    CUMULATIVE,
    ESTIMATORS,
    OWN,
    WARM_UP,
    Estimators,
    initial,
)
from bntui.train.trainer import Trainer
from tests.measure.oracle import by_hand, small_trainer, train, training_inputs

Doubles = npt.NDArray[np.float64]
CHANGES = {
    "constant": [0.99] * 30,
    "turned while it runs": [0.99] * 10 + [0.9] * 8 + [0.5, 0.995] * 6,
    "with a momentum of 0": [0.98] * 9 + [0.0] + [0.9] * 20,
}


@pytest.fixture
def trainer() -> Trainer:
    return small_trainer()


def closed(start: Doubles, batches: Doubles, momenta: list[float]) -> Doubles:
    """Return r_T = ∏m·r₀ + Σᵢ (1 − mᵢ) ∏ⱼ﹥ᵢ mⱼ · bᵢ, summed term by term."""
    weights = [(1 - m) * math.prod(momenta[i + 1 :]) for i, m in enumerate(momenta)]
    terms = (weight * batch for weight, batch in zip(weights, batches, strict=True))
    result: Doubles = math.prod(momenta) * start + sum(terms)
    return result


def formulas(start: Doubles, batches: Doubles, momenta: list[float]) -> Iterator[Doubles]:
    """Yield every estimator after all the batches, in the order of `ESTIMATORS`."""
    updates = len(momenta)
    left = math.prod(momenta)
    yield closed(start, batches, momenta)
    for m in MOMENTA:
        yield closed(start, batches, [m] * updates)
    yield (closed(start, batches, momenta) - left * start) / (1 - left)
    yield batches.mean(0)
    yield closed(start, batches, [min(m, 1 - 1 / t) for t, m in enumerate(momenta, 1)])


@pytest.mark.parametrize("momenta", CHANGES.values(), ids=CHANGES.keys())
def test_every_row_is_what_its_formula_says(trainer: Trainer, momenta: list[float]) -> None:
    batches = []
    for momentum in momenta:
        train(trainer, 1, Knobs(batch_size=24, momentum=momentum))
        # At momentum 0 a row is the last batch's statistics.
        batches.append(trainer.estimators["0"].double().numpy())
    start = initial(trainer.buffers).double().numpy()
    expected = list(formulas(start, np.array(batches), momenta))
    for name, row in zip(ESTIMATORS, expected, strict=True):
        np.testing.assert_allclose(
            trainer.estimators[name].numpy(), row, rtol=1e-4, atol=1e-5, err_msg=name
        )
    assert trainer.estimators.start_left == pytest.approx(math.prod(momenta))


def test_the_statistics_of_an_update_are_those_of_its_own_batch(trainer: Trainer) -> None:
    for images in (24, 24, 1):
        batch = trainer._order[trainer._position : trainer._position + images]
        inputs = training_inputs(
            trainer.model, trainer.buffers, trainer.dataset.train.images[batch]
        )
        trainer.step(Knobs(batch_size=images))
        last = trainer.estimators["0"].double()
        torch.testing.assert_close(last, by_hand(inputs), rtol=1e-4, atol=1e-5)


def test_recalibrating_replaces_the_run_s_own_row_and_leaves_the_others(trainer: Trainer) -> None:
    own, other = Estimators(trainer.buffers), Estimators(trainer.buffers)
    generator = torch.Generator().manual_seed(0)
    batches = torch.rand((20, *trainer.buffers.row.shape), generator=generator)
    replacement = torch.rand(trainer.buffers.row.shape, generator=generator)
    for t, batch in enumerate(batches):
        if t == 12:
            own.recalibrate(replacement)
            assert own.start_left == 0.0
            assert torch.equal(own[OWN], replacement)
        own.update(batch, 0.9)
        other.update(batch, 0.9)
    assert own.start_left == 0.0
    assert torch.equal(own.rows[1:], other.rows[1:])
    after = closed(replacement.double().numpy(), batches[12:].double().numpy(), [0.9] * 8)
    np.testing.assert_allclose(own[OWN].numpy(), after, rtol=1e-5)
    assert torch.equal(own.unstarted, own[OWN])
    assert torch.equal(other.unstarted, other[CORRECTED])


def test_bias_correction_keeps_its_precision(trainer: Trainer) -> None:
    # (r − P·r₀)/(1 − P) in float32 would be 4e-5 off on a variance of 1e-4.
    estimators = Estimators(trainer.buffers)
    batch = torch.full_like(trainer.buffers.row, 1e-4)
    for _ in range(60):
        estimators.update(batch, 0.999)
        torch.testing.assert_close(estimators[CORRECTED], batch, rtol=1e-5, atol=0.0)


@pytest.mark.parametrize(("updates", "left"), [(15, 0.860), (150, 0.221), (938, 8e-5)])
def test_start_left_is_the_power_of_the_momentum(
    trainer: Trainer, updates: int, left: float
) -> None:
    estimators = Estimators(trainer.buffers)
    for _ in range(updates):
        estimators.update(trainer.buffers.row, 0.99)
    assert estimators.start_left == pytest.approx(left, rel=0.01)


def test_cumulative_and_warm_up_forget_the_start_with_the_first_batch(trainer: Trainer) -> None:
    estimators = Estimators(trainer.buffers)
    batch = torch.full_like(trainer.buffers.row, 0.25)
    estimators.update(batch, 0.99)
    for name in (CORRECTED, CUMULATIVE, WARM_UP, "0"):
        assert torch.equal(estimators[name], batch), name
