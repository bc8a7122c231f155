"""The statistics against oracles: by hand from hooks, in float64, and by closed formulas.

The subject is the thread's network at an eighth of its width in real training on the digits, so that
dead channels, borders and uneven batches come as they do in life.
"""

import math
from collections.abc import Callable, Iterator
from copy import deepcopy

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from bntui.engine import data
from bntui.engine.config import MOMENTA, Knobs, RunConfig
from bntui.engine.data import Dataset, Split
from bntui.engine.evaluation import evaluate
from bntui.engine.snapshot import LayerDrift
from bntui.engine.statistics import (
    CORRECTED,
    CUMULATIVE,
    DEAD,
    ESTIMATORS,
    OWN,
    WARM_UP,
    Buffers,
    Estimators,
    attach,
    collect,
    compare_modes,
    drift,
    initial,
    pool,
)
from bntui.engine.trainer import Trainer

CPU = torch.device("cpu")
Doubles = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return data.load("digits", train_size=500, device=CPU)


@pytest.fixture
def trainer(digits: Dataset) -> Trainer:
    return Trainer(RunConfig(width=0.125), digits, CPU)


def train(trainer: Trainer, updates: int, knobs: Knobs) -> None:
    for _ in range(updates):
        if trainer.step(knobs):
            trainer.begin_epoch()


def plain_network() -> nn.Module:
    """Return a network that isn't ours: BN of one and of two dimensions, nested, other epsilons."""
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8, eps=1e-5), nn.ReLU())
    return nn.Sequential(block, nn.Flatten(), nn.BatchNorm1d(288), nn.Linear(288, 4))


def training_inputs(model: nn.Module, buffers: Buffers, images: Tensor) -> list[Tensor]:
    """Return what each BN layer gets in a training-mode pass."""
    inputs: list[Tensor] = []
    hooks = [
        layer.register_forward_pre_hook(lambda _, args: inputs.append(args[0].clone()))
        for layer in buffers.layers
    ]
    model.train()
    with torch.no_grad(), buffers.holding(buffers.row.clone()):
        model(images)
    for hook in hooks:
        hook.remove()
    return inputs


def by_hand(inputs: list[Tensor]) -> Tensor:
    """Return the means and biased variances (2, C), in float64, of what the layers get."""
    flat = [x.double().transpose(0, 1).flatten(1) for x in inputs]
    means = torch.cat([x.mean(1) for x in flat])
    return torch.stack([means, torch.cat([x.var(1, correction=0) for x in flat])])


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
    collected = collect(trainer.model, trainer.buffers, batch).double()
    torch.testing.assert_close(collected, expected, rtol=1e-4, atol=1e-5)


def test_collect_works_on_a_network_that_is_not_ours() -> None:
    model, images = plain_network(), torch.randn(9, 3, 8, 8)
    buffers = attach(model, images[:1])
    assert (buffers.names, buffers.channels) == (("0.1", "2"), (8, 288))
    expected = by_hand(training_inputs(model, buffers, images))
    collected = collect(model, buffers, images).double()
    torch.testing.assert_close(collected, expected, rtol=1e-5, atol=1e-6)


def test_statistics_of_a_large_channels_last_batch_are_exact() -> None:
    # torch's own kernel is 0.4 % of a deviation off here: in channels-last it sums naively.
    large = data.load("digits", train_size=1024, device=CPU)
    trainer = Trainer(RunConfig(width=0.125), large, CPU)
    images = large.train.images
    inputs = training_inputs(trainer.model, trainer.buffers, images)
    assert inputs[0].is_contiguous(memory_format=torch.channels_last)
    first = trainer.buffers.channels[0]
    collected = collect(trainer.model, trainer.buffers, images)[:, :first].double()
    torch.testing.assert_close(collected, by_hand(inputs[:1]), rtol=5e-5, atol=1e-5)


def test_pooled_statistics_of_uneven_parts_are_those_of_the_whole(trainer: Trainer) -> None:
    # Only before the first BN layer do the parts pass through the same function as the whole.
    images = trainer.dataset.train.images[:200]
    parts = images.split([1, 2, 60, 137])
    pooled = pool((collect(trainer.model, trainer.buffers, x), len(x)) for x in parts)
    whole = by_hand(training_inputs(trainer.model, trainer.buffers, images))
    first = trainer.buffers.channels[0]
    torch.testing.assert_close(pooled[:, :first].double(), whole[:, :first], rtol=1e-5, atol=1e-6)


def test_nothing_has_no_statistics(trainer: Trainer) -> None:
    with pytest.raises(ValueError, match="at least one"):
        pool([])
    with pytest.raises(RuntimeError):  # and not a crash in torch's kernels
        collect(trainer.model, trainer.buffers, trainer.dataset.train.images[:0])


def test_pooling_keeps_a_small_variance_beside_a_large_mean() -> None:
    generator = torch.Generator().manual_seed(0)
    values = 1000 + 0.01 * torch.randn(60, 5, generator=generator, dtype=torch.float64)

    def part(x: Tensor) -> tuple[Tensor, int]:
        return torch.stack([x.mean(0), x.var(0, correction=0)]), len(x)

    pooled, (whole, _) = pool(map(part, values.split([10, 49, 1]))), part(values)
    torch.testing.assert_close(pooled, whole, rtol=1e-5, atol=0.0)


# Estimating

CHANGES = {
    "constant": [0.99] * 30,
    "turned while it runs": [0.99] * 10 + [0.9] * 8 + [0.5, 0.995] * 6,
    "with a momentum of 0": [0.98] * 9 + [0.0] + [0.9] * 20,
}


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


# Comparing


def drift_of(
    buffers: Buffers, running: Tensor, fresh: Tensor, unstarted: Tensor, start_left: float
) -> tuple[LayerDrift, ...]:
    none = [math.nan] * len(buffers.layers)
    return drift(buffers, running, fresh, unstarted, start_left, none)


def uneven_rows(buffers: Buffers) -> tuple[Tensor, Tensor, Tensor, float]:
    """Return running = P·start + (1−P)·unstarted, fresh, unstarted and P, with learned scales."""
    generator = torch.Generator().manual_seed(1)
    shape = buffers.row.shape
    for layer in buffers.layers:
        nn.init.uniform_(layer.weight, -2.0, 2.0, generator=generator)
    fresh = torch.rand(shape, generator=generator) + 0.05
    unstarted = torch.rand(shape, generator=generator) + 0.05
    left = 0.37
    return left * initial(buffers) + (1 - left) * unstarted, fresh, unstarted, left


def test_drift_is_what_a_loop_over_channels_finds(trainer: Trainer) -> None:
    buffers = trainer.buffers
    running, fresh, unstarted, left = uneven_rows(buffers)
    ends = np.cumsum(buffers.channels)
    first = int(ends[0])
    fresh[1, 0] = 0.0  # dead
    fresh[1, first + 1] = DEAD * 1e-3 * 0.999  # dead, just
    fresh[1, first + 2] = DEAD * 1e-3 * 1.001  # alive, just
    fresh[0, 2] = math.nan
    running[1, first] = math.inf
    running[0, first + 3] = 50.0  # the worst
    layers = drift_of(buffers, running, fresh, unstarted, left)

    assert [layer.name for layer in layers] == list(buffers.names)
    for layer, module, end in zip(layers, buffers.layers, ends, strict=True):
        gaps, ratios, errors, starts, rests, dead, broken = {}, [], [], [], [], 0, 0
        for channel in range(module.num_features):
            place = int(end) - module.num_features + channel
            (r, v), (mu, var) = running[:, place].tolist(), fresh[:, place].tolist()
            mean, variance = unstarted[:, place].tolist()
            if not all(map(math.isfinite, (r, v, mu, var))):
                broken += 1
                continue
            e, gamma = module.eps, module.weight[channel].item()
            a, b = math.sqrt(v + e), math.sqrt(var + e)
            sigma = math.sqrt(var)
            errors.append(gamma**2 * (((r - mu) / a) ** 2 + (sigma / a - sigma / b) ** 2))
            if var < DEAD * e:
                dead += 1
                continue
            gaps[channel] = abs(r - mu) / b
            ratios.append(math.log((v + e) / (var + e)))
            starts.append(abs(left * (0 - mu) / b) + abs(left * (1 - var) / (var + e)))
            rests.append(
                abs((1 - left) * (mean - mu) / b) + abs((1 - left) * (variance - var) / (var + e))
            )
        assert (layer.channels, layer.dead, layer.non_finite) == (module.num_features, dead, broken)
        assert layer.mean_gap == pytest.approx(np.mean(list(gaps.values())), rel=1e-4)
        assert layer.mean_gap_max == pytest.approx(max(gaps.values()), rel=1e-4)
        assert layer.log_var_ratio == pytest.approx(np.mean(ratios), rel=1e-4, abs=1e-5)
        assert layer.output_error == pytest.approx(math.sqrt(np.mean(errors)), rel=1e-4)
        assert layer.start_share == pytest.approx(sum(starts) / sum(starts + rests), rel=1e-4)
        assert layer.start_left == left
        assert not layer.untouched
    assert [layer.dead for layer in layers[:2]] == [1, 1]
    assert [layer.non_finite for layer in layers[:2]] == [1, 1]


def test_the_parts_of_a_layer_s_error_add_up_to_it(trainer: Trainer) -> None:
    buffers = trainer.buffers
    running, fresh, unstarted, left = uneven_rows(buffers)
    for layer, module in zip(
        drift_of(buffers, running, fresh, unstarted, left), buffers.layers, strict=True
    ):
        detail = layer.detail
        whole = np.expm1(detail.log_var_ratio)  # (v+e)/(σ²+e) − 1 = (v−σ²)/(σ²+e)
        np.testing.assert_allclose(
            detail.variance_start + detail.variance_rest, whole, rtol=1e-3, atol=1e-5
        )
        assert detail.mean_gap.shape == (module.num_features,)
        with pytest.raises(ValueError, match="read-only"):
            detail.mean_gap[0] = 0.0


def test_a_layer_without_a_live_channel_has_no_drift_but_a_count(trainer: Trainer) -> None:
    running = initial(trainer.buffers)
    layers = drift_of(trainer.buffers, running, torch.zeros_like(running), running, 1.0)
    for layer in layers:
        assert layer.dead == layer.channels
        assert math.isnan(layer.mean_gap)
        assert math.isnan(layer.log_var_ratio)
        assert layer.untouched
        assert layer.output_error == 0.0  # a constant channel puts out its bias in both modes


def test_output_error_is_the_rms_difference_between_eval_and_training_mode(
    trainer: Trainer,
) -> None:
    train(trainer, 20, Knobs(batch_size=25))
    buffers, running = trainer.buffers, trainer.estimators[OWN]
    images = trainer.dataset.train.images[:100]
    inputs = training_inputs(trainer.model, buffers, images)
    fresh = collect(trainer.model, buffers, images)
    layers = drift_of(buffers, running, fresh, running, 0.0)
    for layer, module, given in zip(layers, buffers.layers, inputs, strict=True):
        with torch.no_grad(), buffers.holding(running):
            in_eval = module.eval()(given)
            in_training = module.train()(given)
        rms = (in_eval - in_training).double().square().mean().sqrt().item()
        assert rms > 0.1
        assert layer.output_error == pytest.approx(rms, rel=1e-4), layer.name


def test_modes_agree_under_the_images_own_statistics_and_differ_under_stale_ones(
    trainer: Trainer,
) -> None:
    train(trainer, 20, Knobs(batch_size=25))
    model, buffers = trainer.model, trainer.buffers
    images = trainer.dataset.train.images[:50]
    fresh = collect(model, buffers, images)
    sound = compare_modes(model, buffers, fresh, images)
    assert max(sound.errors) < 1e-3
    assert sound.flipped == 0.0
    torch.testing.assert_close(sound.statistics, fresh)
    stale = compare_modes(model, buffers, trainer.estimators[OWN], images)
    assert min(stale.errors) > 0.1
    assert stale.flipped > 0.1
    torch.testing.assert_close(stale.statistics, fresh)


def test_errors_through_the_network_are_relative_to_training_mode_in_forward_order(
    trainer: Trainer,
) -> None:
    buffers, running = trainer.buffers, initial(trainer.buffers)
    images = trainer.dataset.train.images[:50]
    outputs: list[list[Tensor]] = [[] for _ in buffers.layers]
    for layer, ours in zip(buffers.layers, outputs, strict=True):
        layer.register_forward_hook(lambda _, __, out, ours=ours: ours.append(out.detach()))
    with buffers.holding(running):
        trainer.model.eval()(images)
        trainer.model.train()(images)
    expected = [((a - b).square().sum() / b.square().sum()).sqrt().item() for a, b in outputs]
    compared = compare_modes(trainer.model, buffers, running, images)
    assert compared.errors == pytest.approx(expected, rel=1e-4)


# Leaving everything as it was


def state(model: nn.Module) -> list[object]:
    """Return all that looking at a model might disturb."""
    tensors = [tensor.clone().numpy().tobytes() for tensor in model.state_dict().values()]
    modes = [module.training for module in model.modules()]
    return [tensors, modes, torch.get_rng_state().numpy().tobytes(), torch.is_grad_enabled()]


Look = Callable[[Trainer], object]
LOOKS: dict[str, Look] = {
    "collect": lambda t: collect(t.model, t.buffers, t.dataset.train.images[:20]),
    "collect from what is no number": lambda t: collect(t.model, t.buffers, spoil(t.dataset)),
    "evaluate": lambda t: evaluate(t.model, t.buffers, [t.buffers.row], t.dataset.validation, 10),
    "compare modes": lambda t: compare_modes(
        t.model, t.buffers, t.estimators[CORRECTED], t.dataset.train.images[:20]
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
    buffers = attach(model, images[:1])
    before = state(model)
    collect(model, buffers, images)
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
        collect(trainer.model, trainer.buffers, torch.zeros(4, 3, 5, 5))
    assert torch.equal(trainer.buffers.row, before)


def test_buffers_that_hold_nan_do_not_poison_what_is_collected() -> None:
    # On torch's own BN, which also at momentum 1 adds 0 times the old value.
    model, images = plain_network(), torch.randn(9, 3, 8, 8)
    buffers = attach(model, images[:1])
    buffers.row.fill_(math.nan)
    fresh = collect(model, buffers, images)
    assert fresh.isfinite().all()
    compared = compare_modes(model, buffers, buffers.row.clone(), images)
    torch.testing.assert_close(compared.statistics, fresh)
    assert all(map(math.isnan, compared.errors))


def test_a_batch_with_nan_does_not_poison_the_next_one_s_statistics(trainer: Trainer) -> None:
    good = trainer.dataset.train.images[:16]
    before = collect(trainer.model, trainer.buffers, good)
    bad = collect(trainer.model, trainer.buffers, spoil(trainer.dataset))
    assert bad.isnan().any()
    assert torch.equal(collect(trainer.model, trainer.buffers, good), before)

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
