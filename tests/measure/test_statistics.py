"""The statistics that batches give, against those taken by hand; and that taking them changes nothing."""

import math
from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from bntui.core.config import Knobs, RunConfig
from bntui.data import dataset
from bntui.data.dataset import Dataset, Split
from bntui.measure.any_module import AnyModule
from bntui.measure.drift import compare_modes
from bntui.measure.estimators import CORRECTED
from bntui.measure.evaluation import evaluate
from bntui.measure.statistics import pool
from bntui.measure.subject import Classification, Samples
from bntui.train.trainer import Trainer
from tests.measure.oracle import CPU, by_hand, small_trainer, training_inputs


@pytest.fixture
def trainer() -> Trainer:
    return small_trainer()


def plain_network() -> nn.Module:
    """Return a network that isn't ours: BN of one and of two dimensions, nested, other epsilons."""
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8, eps=1e-5), nn.ReLU())
    return nn.Sequential(block, nn.Flatten(), nn.BatchNorm1d(288), nn.Linear(288, 4))


def foreign(model: nn.Module, images: Tensor) -> AnyModule:
    samples = Samples(images, torch.arange(len(images)) % 4)
    return AnyModule(model, samples, samples, Classification(4))


def spoil(digits: Dataset) -> Tensor:
    """Return a batch of images, one of them with a pixel that is no number."""
    images = digits.train.images[:16].clone()
    images[3, 0, 10, 10] = math.nan
    return images


# Collecting


@pytest.mark.parametrize("images", [1, 7, 64])
def test_collect_returns_biased_statistics_of_a_training_mode_pass(
    trainer: Trainer, images: int
) -> None:
    batch = trainer.dataset.train.images[:images]
    expected = by_hand(training_inputs(trainer.model, trainer.buffers, batch))
    collected = trainer.subject.collect(batch).double()
    torch.testing.assert_close(collected, expected, rtol=1e-4, atol=1e-5)


def test_collect_works_on_a_network_that_is_not_ours() -> None:
    model, images = plain_network(), torch.randn(9, 3, 8, 8)
    subject = foreign(model, images)
    assert (subject.layers.names, subject.layers.channels) == (("0.1", "2"), (8, 288))
    collected = subject.collect(images).double()
    expected = by_hand(training_inputs(model, subject.layers, images))
    torch.testing.assert_close(collected, expected, rtol=1e-5, atol=1e-6)


def test_statistics_of_a_large_channels_last_batch_are_exact() -> None:
    # torch's own kernel is 0.4 % of a deviation off here: in channels-last it sums naively.
    large = dataset.load("digits", train_size=1024, device=CPU)
    trainer = Trainer(RunConfig(width=0.125), large, CPU)
    images = large.train.images
    inputs = training_inputs(trainer.model, trainer.buffers, images)
    assert inputs[0].is_contiguous(memory_format=torch.channels_last)
    first = trainer.buffers.channels[0]
    collected = trainer.subject.collect(images)[:, :first].double()
    torch.testing.assert_close(collected, by_hand(inputs[:1]), rtol=5e-5, atol=1e-5)


def test_pooled_statistics_of_uneven_parts_are_those_of_the_whole(trainer: Trainer) -> None:
    # Only before the first BN layer do the parts pass through the same function as the whole.
    images = trainer.dataset.train.images[:200]
    parts = images.split([1, 2, 60, 137])
    pooled = pool((trainer.subject.collect(x), len(x)) for x in parts)
    whole = by_hand(training_inputs(trainer.model, trainer.buffers, images))
    first = trainer.buffers.channels[0]
    torch.testing.assert_close(pooled[:, :first].double(), whole[:, :first], rtol=1e-5, atol=1e-6)


def test_nothing_has_no_statistics(trainer: Trainer) -> None:
    with pytest.raises(ValueError, match="at least one"):
        pool([])
    with pytest.raises(RuntimeError):  # and not a crash in torch's kernels
        trainer.subject.collect(trainer.dataset.train.images[:0])


def test_pooling_keeps_a_small_variance_beside_a_large_mean() -> None:
    generator = torch.Generator().manual_seed(0)
    values = 1000 + 0.01 * torch.randn(60, 5, generator=generator, dtype=torch.float64)

    def part(x: Tensor) -> tuple[Tensor, int]:
        return torch.stack([x.mean(0), x.var(0, correction=0)]), len(x)

    pooled, (whole, _) = pool(map(part, values.split([10, 49, 1]))), part(values)
    torch.testing.assert_close(pooled, whole, rtol=1e-5, atol=0.0)


# Leaving everything as it was


def state(model: nn.Module) -> list[object]:
    """Return all that looking at a model might disturb."""
    tensors = [tensor.clone().numpy().tobytes() for tensor in model.state_dict().values()]
    modes = [module.training for module in model.modules()]
    return [tensors, modes, torch.get_rng_state().numpy().tobytes(), torch.is_grad_enabled()]


Look = Callable[[Trainer], object]
LOOKS: dict[str, Look] = {
    "collect": lambda t: t.subject.collect(t.dataset.train.images[:20]),
    "collect from what is no number": lambda t: t.subject.collect(spoil(t.dataset)),
    "evaluate": lambda t: evaluate(t.subject, [t.buffers.row], t.subject.validation),
    "compare modes": lambda t: compare_modes(
        t.subject, t.estimators[CORRECTED], t.dataset.train.images[:20]
    ),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_looking_changes_no_weight_buffer_mode_or_random_number(
    trainer: Trainer, look: Look, training: bool
) -> None:
    trainer.step(Knobs(batch_size=20))
    trainer.model.train(training)
    torch.manual_seed(3)
    before = state(trainer.model)
    look(trainer)
    assert state(trainer.model) == before


def test_collect_changes_no_buffer_of_a_network_that_is_not_ours() -> None:
    model, images = plain_network(), torch.randn(9, 3, 8, 8)
    before = state(model)
    foreign(model, images).collect(images)
    assert state(model) == before


def test_buffers_are_put_back_after_an_exception(trainer: Trainer) -> None:
    before = trainer.buffers.row.clone()

    def stop_while_holding() -> None:
        with trainer.buffers.holding(before + 1):
            assert torch.equal(trainer.buffers.row, before + 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_while_holding()
    assert torch.equal(trainer.buffers.row, before)
    with pytest.raises(RuntimeError):
        trainer.subject.collect(torch.zeros(4, 3, 5, 5))
    assert torch.equal(trainer.buffers.row, before)


def test_buffers_that_hold_nan_do_not_poison_what_is_collected() -> None:
    # On torch's own BN, which also at momentum 1 adds 0 times the old value.
    model, images = plain_network(), torch.randn(9, 3, 8, 8)
    subject = foreign(model, images)
    broken = torch.full_like(subject.layers.running(), math.nan)
    subject.layers.put(range(2), subject.layers.parts(broken))
    fresh = subject.collect(images)
    assert fresh.isfinite().all()
    compared = compare_modes(subject, broken, images)
    assert all(map(math.isnan, compared.errors))


def test_a_batch_with_nan_does_not_poison_the_next_one_s_statistics(trainer: Trainer) -> None:
    good = trainer.dataset.train.images[:16]
    before = trainer.subject.collect(good)
    bad = trainer.subject.collect(spoil(trainer.dataset))
    assert bad.isnan().any()
    assert torch.equal(trainer.subject.collect(good), before)

    # Nor in training, where the statistics go through the layers' own buffers.
    weights = deepcopy(trainer.model.state_dict())
    images = torch.cat([spoil(trainer.dataset), good])
    both = Split(images, trainer.dataset.train.labels[:32])
    trainer = Trainer(RunConfig(width=0.125), Dataset("two", both, both, tuple("0123456789")), CPU)
    trainer._order = torch.arange(32)
    trainer.step(Knobs(batch_size=16))
    assert trainer.buffers.row.isnan().any()
    trainer.model.load_state_dict(weights)
    trainer.step(Knobs(batch_size=16))
    assert trainer.buffers.row.isfinite().all()
