"""Evaluating: every image once, in pieces; and the share of the time that it may take."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from bntui.core.config import Knobs, RunConfig
from bntui.core.measured import Score
from bntui.data import dataset
from bntui.measure.budget import LATER_SHARE, OPENING_SECONDS, OPENING_SHARE, Budget
from bntui.measure.estimators import CORRECTED, ESTIMATORS
from bntui.measure.evaluation import IMAGES_PER_PASS, evaluate
from bntui.measure.subject import Samples
from bntui.train.trainer import Trainer

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    trainer = Trainer(
        RunConfig(width=0.0625), dataset.load("digits", train_size=320, device=CPU), CPU
    )
    for _ in range(10):
        trainer.step(Knobs(batch_size=32))
    return trainer


def head(trainer: Trainer, count: int) -> Samples:
    return trainer.subject.validation[:count]


def under(
    trainer: Trainer,
    rows: list[Tensor],
    samples: Samples,
    check_stop: Callable[[], None] = lambda: None,
) -> list[Score]:
    found = evaluate(trainer.subject, rows, samples, check_stop)
    return [outcome.score for outcome in found]


@pytest.mark.parametrize(
    "count", [1, IMAGES_PER_PASS, IMAGES_PER_PASS + 1, 2 * IMAGES_PER_PASS - 3]
)
def test_pieces_score_what_the_whole_scores(trainer: Trainer, count: int) -> None:
    samples = head(trainer, count)
    (score,) = under(trainer, [trainer.estimators[CORRECTED]], samples)
    with trainer.buffers.holding(trainer.estimators[CORRECTED]):
        trainer.model.eval()
        with torch.no_grad():
            logits = trainer.model(samples.inputs)
    guesses = logits.argmax(1)
    assert score.loss == pytest.approx(cross_entropy(logits, samples.targets).item(), rel=1e-5)
    assert score.accuracy == (guesses == samples.targets).double().mean().item()
    assert score.predicted == tuple(torch.bincount(guesses, minlength=10).tolist())


def test_statistics_decide_the_score(trainer: Trainer) -> None:
    samples = head(trainer, 200)
    scores = under(trainer, [trainer.estimators[name] for name in ("own", CORRECTED)], samples)
    assert scores[0].loss != pytest.approx(scores[1].loss, rel=0.01)


def test_a_stop_can_come_before_every_piece(trainer: Trainer) -> None:
    calls: list[int] = []
    samples = head(trainer, IMAGES_PER_PASS + 1)
    under(trainer, [trainer.buffers.row], samples, lambda: calls.append(1))
    # For what is shared, and from each of the five BN layers on, of two pieces of the images.
    assert len(calls) == 2 * (1 + 5)


def test_many_rows_are_what_one_after_the_other_is_bit_for_bit(trainer: Trainer) -> None:
    samples = head(trainer, IMAGES_PER_PASS + 7)
    rows = [trainer.estimators[name] for name in ESTIMATORS]
    assert under(trainer, rows, samples) == [under(trainer, [row], samples)[0] for row in rows]


def test_equal_rows_take_one_pass_and_the_first_layers_one_for_all(trainer: Trainer) -> None:
    seen: list[str] = []
    for name, layer in trainer.model.named_children():
        layer.register_forward_pre_hook(lambda *_, name=name: seen.append(name))
    own, other = trainer.estimators["own"], trainer.estimators[CORRECTED]
    under(trainer, [own, own.clone(), other, own], head(trainer, 10))
    passes = {name: seen.count(name) for name in trainer.model._modules}
    assert (passes["conv1"], passes["conv1_bn"], passes["dense2"]) == (1, 2, 2)


def test_rows_that_differ_from_a_layer_on_share_all_before_it(trainer: Trainer) -> None:
    seen: list[str] = []
    for name, layer in trainer.model.named_children():
        layer.register_forward_pre_hook(lambda *_, name=name: seen.append(name))
    own = trainer.estimators["own"]
    rows = [own, own.clone(), own.clone()]
    ends = np.cumsum(trainer.buffers.channels)
    rows[1][:, ends[2] :] += 0.1  # from the fourth layer on
    rows[2][:, ends[3] :] += 0.1  # in the fifth alone
    shared = under(trainer, rows, head(trainer, 10))
    passes = {name: seen.count(name) for name in trainer.model._modules}
    assert [passes[name] for name in trainer.buffers.names] == [1, 1, 1, 2, 3]
    assert passes["conv4"] == 1
    assert passes["dense1"] == 2
    assert passes["dense2"] == 3
    assert shared == [under(trainer, [row], head(trainer, 10))[0] for row in rows]


def test_a_difference_is_that_of_pairs(trainer: Trainer) -> None:
    samples = head(trainer, 60)
    rows = [trainer.estimators["own"], trainer.estimators[CORRECTED]]
    own, corrected = evaluate(trainer.subject, rows, samples)
    found = own.less(corrected)
    pairs = list(zip(own.correct.tolist(), corrected.correct.tolist(), strict=True))
    gained, lost = pairs.count((True, False)), pairs.count((False, True))
    assert gained + lost > 0
    assert found.accuracy == pytest.approx((gained - lost) / 60)
    assert found.accuracy_error == pytest.approx(math.sqrt(gained + lost) / 60)
    differences = (own.losses - corrected.losses).numpy()
    assert found.loss == pytest.approx(differences.mean())
    assert found.loss_error == pytest.approx(differences.std(ddof=1) / math.sqrt(60))
    assert found.of_loss == pytest.approx(corrected.score.loss)
    assert own.less(own).accuracy_error == 1 / 60  # none of 60 does not mean that there is none


def test_a_stop_leaves_the_model_in_the_mode_it_was_in(trainer: Trainer) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    trainer.model.train()
    with pytest.raises(KeyboardInterrupt):
        under(trainer, [trainer.buffers.row], head(trainer, 10), stop)
    assert trainer.model.training


def test_weights_that_are_no_numbers_score_nan_and_raise_nothing(trainer: Trainer) -> None:
    broken = torch.full_like(trainer.buffers.row, math.nan)
    (score,) = under(trainer, [broken], head(trainer, 100))
    assert math.isnan(score.loss)
    assert sum(score.predicted) == 100


# The budget


class Clock:
    """A clock that goes only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def simulate(
    budget: Budget,
    clock: Clock,
    until: float,
    *,
    update: float,
    look: float,
    epoch_end: float = 0.0,
) -> None:
    """Train with updates of a length, looking when allowed, until so much time was counted."""
    updates = 0
    while budget.total < until:
        clock.now += update
        budget.trained()
        updates += 1
        if epoch_end and updates % 50 == 0:
            clock.now += epoch_end
            budget.observed()
        if budget.allows("look"):
            clock.now += look
            budget.observed("look")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock: Clock) -> Budget:
    return Budget(clock)


@pytest.mark.parametrize("look", [0.15, 0.5, 2.0], ids="look of {}".format)
@pytest.mark.parametrize("epoch_end", [0.0, 0.25], ids="epoch end of {}".format)
def test_observing_takes_half_of_the_first_minute_and_a_tenth_later(
    budget: Budget, clock: Clock, look: float, epoch_end: float
) -> None:
    simulate(budget, clock, OPENING_SECONDS, update=0.1, look=look, epoch_end=epoch_end)
    opening = budget.observing, budget.total
    assert opening[0] / opening[1] == pytest.approx(OPENING_SHARE, abs=0.05)

    # Epoch ends count, so live looks make room for them.
    simulate(budget, clock, 600.0, update=0.1, look=look, epoch_end=epoch_end)
    later = (budget.observing - opening[0]) / (budget.total - opening[1])
    assert later == pytest.approx(LATER_SHARE, abs=0.01)


def test_what_costs_too_much_is_not_looked_at_again(budget: Budget, clock: Clock) -> None:
    simulate(budget, clock, 1.0, update=0.1, look=0.0)
    clock.now += 50.0
    budget.observed("look")
    observed = budget.observing
    simulate(budget, clock, OPENING_SECONDS, update=0.1, look=50.0)
    assert budget.observing == observed


def test_kinds_have_prices_of_their_own(budget: Budget, clock: Clock) -> None:
    for kind, cost in (("dear", 3.0), ("cheap", 0.1)):
        clock.now += cost
        budget.observed(kind)
    clock.now += 4.0
    budget.trained()
    assert budget.allows("cheap")
    assert not budget.allows("dear")


def test_a_pause_counts_as_nothing(budget: Budget, clock: Clock) -> None:
    clock.now += 2.0
    budget.trained()
    clock.now += 3600.0
    budget.begin()
    clock.now += 1.0
    budget.observed()
    assert (budget.training, budget.observing, budget.total) == (2.0, 1.0, 3.0)
