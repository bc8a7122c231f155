"""Drift and errors against loops over channels, and against what real layers put out in both modes."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bntui.core.config import Knobs
from bntui.core.measured import LayerDrift
from bntui.measure.drift import QUIET, compare_modes, drift, rescaled_error
from bntui.measure.estimators import OWN, initial
from bntui.measure.statistics import Buffers
from bntui.train.trainer import Trainer
from tests.measure.oracle import small_trainer, train, training_inputs


@pytest.fixture
def trainer() -> Trainer:
    return small_trainer()


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
    fresh[1, 0] = 0.0  # quiet
    fresh[1, first + 1] = QUIET * 1e-3 * 0.999  # quiet, just
    fresh[1, first + 2] = QUIET * 1e-3 * 1.001  # not quiet, just
    fresh[0, 2] = math.nan
    running[1, first] = math.inf
    running[0, first + 3] = 50.0  # the worst
    layers = drift_of(buffers, running, fresh, unstarted, left)

    assert [layer.name for layer in layers] == list(buffers.names)
    for layer, module, end in zip(layers, buffers.layers, ends, strict=True):
        gaps, ratios, errors, quiet, broken = {}, [], [], 0, 0
        for channel in range(module.num_features):
            place = int(end) - module.num_features + channel
            (r, v), (mu, var) = running[:, place].tolist(), fresh[:, place].tolist()
            if not all(map(math.isfinite, (r, v, mu, var))):
                broken += 1
                continue
            e, gamma = module.eps, module.weight[channel].item()
            a, b = math.sqrt(v + e), math.sqrt(var + e)
            sigma = math.sqrt(var)
            errors.append(gamma**2 * (((r - mu) / a) ** 2 + (sigma / a - sigma / b) ** 2))
            quiet += var < QUIET * e
            gaps[channel] = abs(r - mu) / b
            ratios.append(math.log((v + e) / (var + e)))
        assert (layer.channels, layer.quiet, layer.non_finite) == (
            module.num_features,
            quiet,
            broken,
        )
        assert layer.mean_gap == pytest.approx(np.mean(list(gaps.values())), rel=1e-4)
        assert layer.mean_gap_max == pytest.approx(max(gaps.values()), rel=1e-4)
        assert layer.log_var_ratio == pytest.approx(np.mean(ratios), rel=1e-4, abs=1e-5)
        assert layer.output_error == pytest.approx(math.sqrt(np.mean(errors)), rel=1e-4)
        assert layer.log_var_off == pytest.approx(np.mean(np.abs(ratios)), rel=1e-4, abs=1e-5)
        assert layer.start_left == left
        assert not layer.untouched
    assert [layer.quiet for layer in layers[:2]] == [1, 1]
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


def test_quiet_channels_count_and_nothing_is_left_out(trainer: Trainer) -> None:
    running = initial(trainer.buffers)
    layers = drift_of(trainer.buffers, running, torch.zeros_like(running), running, 1.0)
    for layer in layers:
        assert layer.quiet == layer.channels
        assert layer.mean_gap == 0.0
        assert layer.log_var_ratio == pytest.approx(math.log(1.001 / 0.001), rel=1e-4)
        assert layer.untouched
        assert layer.output_error == 0.0  # a constant channel puts out its bias in both modes


def test_channels_that_cancel_out_in_the_signed_mean_do_not_in_the_absolute_one(
    trainer: Trainer,
) -> None:
    running = initial(trainer.buffers)
    fresh = running.clone()
    fresh[1, 0::2], fresh[1, 1::2] = math.e, 1.0 / math.e
    layer = drift_of(trainer.buffers, running, fresh, running, 0.0)[0]
    assert layer.log_var_ratio == pytest.approx(0.0, abs=0.01)
    assert layer.log_var_off == pytest.approx(1.0, abs=0.01)


def test_output_error_is_the_rms_difference_between_eval_and_training_mode(
    trainer: Trainer,
) -> None:
    train(trainer, 20, Knobs(batch_size=25))
    buffers, running = trainer.buffers, trainer.estimators[OWN]
    images = trainer.dataset.train.images[:100]
    inputs = training_inputs(trainer.model, buffers, images)
    fresh = trainer.subject.collect(images)
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
    images = trainer.dataset.train.images[:50]
    fresh = trainer.subject.collect(images)
    sound = compare_modes(trainer.subject, fresh, images)
    assert max(sound.errors) < 1e-3
    assert sound.flipped == 0.0
    assert sound.logits_error < 1e-3
    stale = compare_modes(trainer.subject, trainer.estimators[OWN], images)
    assert min(stale.errors) > 0.1
    assert stale.flipped > 0.1
    assert stale.logits_error > 0.1


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
    compared = compare_modes(trainer.subject, running, images)
    assert compared.errors == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("seen", "error"),
    [
        ([[3.0, 0.0], [0.0, 4.0]], 0.0),
        ([[0.3, 0.0], [0.0, 0.4]], 0.0),  # smaller, and the same predictions
        ([[0.3, 0.0], [0.5, 0.4]], 1.0),
        ([[3.0, 20.0], [0.0, 4.0]], 4.0),
        ([[0.0, 1.0], [1.0, 0.0]], math.inf),  # nothing in common
        ([[-3.0, 0.0], [0.0, -4.0]], math.inf),  # the least likely is now the likeliest
        ([[0.0, 0.0], [0.0, 0.0]], math.inf),
        ([[math.nan, 0.0], [0.0, 4.0]], math.nan),
    ],
)
def test_the_error_of_logits_does_not_count_their_size(
    seen: list[list[float]], error: float
) -> None:
    logits = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    found = rescaled_error(torch.tensor(seen), logits).item()
    assert found == pytest.approx(error, nan_ok=True, abs=1e-6)
    assert rescaled_error(torch.tensor(seen), 7.0 * logits).item() == pytest.approx(
        error, nan_ok=True, abs=1e-6
    )


def test_the_error_of_logits_is_what_the_best_factor_leaves(trainer: Trainer) -> None:
    train(trainer, 20, Knobs(batch_size=25))
    buffers, running = trainer.buffers, trainer.estimators[OWN]
    images = trainer.dataset.train.images[:50]
    with torch.no_grad(), buffers.holding(running):
        seen, logits = trainer.model.eval()(images), trainer.model.train()(images)
    best = min(
        (0.0001 * step for step in range(1, 20_000)),
        key=lambda factor: (seen - factor * logits).norm().item(),
    )
    left = (seen - best * logits).norm() / (best * logits).norm()
    compared = compare_modes(trainer.subject, running, images)
    assert compared.logits_error == pytest.approx(left.item(), rel=1e-2)
