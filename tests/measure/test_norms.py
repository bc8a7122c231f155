"""The normalisation layers against torch's own and the papers' formulas in float64, and what is built.

The formulas are written out and differentiated by autograd; ours has its own backward pass.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import group_norm, layer_norm

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.parsers import MIN_WIDTH
from bntui.core.run_request import RunRequest
from bntui.core.text import ConfigError
from bntui.data import dataset
from bntui.data.dataset import Dataset
from bntui.measure.budget import Budget
from bntui.measure.drift import compare_modes
from bntui.measure.estimators import OWN, initial
from bntui.measure.norms import (
    CLOSED,
    D_MAX,
    D_RAMP,
    EPSILON,
    R_MAX,
    R_RAMP,
    BatchNorm,
    BatchRenorm,
    GhostBatchNorm,
    groups,
    make,
)
from bntui.measure.statistics import attach
from bntui.train.model import build, parameter_count
from bntui.train.session import Session
from bntui.train.trainer import Trainer

CPU = torch.device("cpu")
NORMS = ("batch", "ghost", "renorm", "group", "layer", "none")
SMALL = RunConfig(
    train_size=128, width=0.0625, device="cpu", knobs=Knobs(batch_size=20), ghost_batch=8
)
SHAPES = {"images": (21, 6, 5, 4), "vectors": (21, 6)}
Forward = Callable[[Tensor, Tensor, Tensor], Tensor]

shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())


def a_batch(shape: tuple[int, ...]) -> Tensor:
    """Return a batch whose channels have means and deviations of their own."""
    generator = torch.Generator().manual_seed(len(shape))
    deviations = torch.logspace(-1.5, 1, shape[1]).view(1, -1, *(1 for _ in shape[2:]))
    noise = torch.randn(shape, generator=generator)
    batch = deviations * (noise + torch.rand(deviations.shape, generator=generator))
    return batch.to(memory_format=torch.channels_last) if len(shape) == 4 else batch


def learned(layer: nn.Module) -> nn.Module:
    """Return the layer with a scale and a shift as after some training."""
    generator = torch.Generator().manual_seed(5)
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -2.0, 2.0, generator=generator)
    return layer


def per_channel(values: Tensor, like: Tensor) -> Tensor:
    return values.view(1, -1, *(1 for _ in like.shape[2:]))


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the means and biased variances of the channels of x."""
    flat = x.transpose(0, 1).flatten(1)
    return flat.mean(1), flat.var(1, correction=0)


def plain(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return batch norm's output: γ(x − μ)/√(σ² + ε) + β."""
    mean, variance = moments(x)
    scaled = (x - per_channel(mean, x)) / per_channel((variance + EPSILON).sqrt(), x)
    return scaled * per_channel(weight, x) + per_channel(bias, x)


def rows_of(x: Tensor) -> Tensor:
    return torch.stack(moments(x.double()))


def mean_of(rows: Sequence[Tensor], images: Sequence[int]) -> Tensor:
    """Return the mean of statistics (2, C), each weighted by its images."""
    shares = torch.tensor(images, dtype=torch.float64) / sum(images)
    return torch.einsum("k,kij->ij", shares, torch.stack(list(rows)))


def compare(layer: nn.Module, expected: Forward, x: Tensor) -> None:
    """Compare a layer's output and gradients with those of a formula in float64."""
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    given = x.clone().requires_grad_()
    output = layer(given)
    # Squares, since the mean of BN's own output has no gradient.
    (output.square() * torch.linspace(-1, 1, x.numel()).view_as(x)).sum().backward()
    wide = [t.detach().double().requires_grad_() for t in (x, weight, bias)]
    reference = expected(*wide)
    (reference.square() * torch.linspace(-1, 1, x.numel()).view_as(x)).sum().backward()
    close(output, reference)
    for mine, theirs in zip((given, weight, bias), wide, strict=True):
        close(mine.grad, theirs.grad)


def close(mine: Tensor | None, theirs: Tensor | None) -> None:
    """Compare within 1e-5 of the RMS of what is expected."""
    assert mine is not None
    assert theirs is not None
    rms = theirs.double().square().mean().sqrt().item()
    torch.testing.assert_close(mine.double(), theirs.double(), rtol=1e-5, atol=1e-5 * rms)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return dataset.load("digits", train_size=128, device=CPU)


# Layers


@shapes
def test_batch_norm_is_torch_s(shape: tuple[int, ...]) -> None:
    layer = BatchNorm(6)
    learned(layer)
    stock = nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d
    reference = stock(6, eps=EPSILON, momentum=1.0).double()

    def torchs(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        output: Tensor = functional_call(reference, {"weight": weight, "bias": bias}, (x,))
        return output

    compare(layer, torchs, a_batch(shape))
    close(layer.running_mean, reference.running_mean)
    close(layer.running_var, reference.running_var)


@shapes
def test_layer_norm_is_torch_s_over_channels_height_and_width(shape: tuple[int, ...]) -> None:
    def torchs(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        scaled = layer_norm(x, x.shape[1:], eps=EPSILON)
        return scaled * per_channel(weight, x) + per_channel(bias, x)

    layer = make("layer", 6, 32)
    assert layer is not None
    compare(learned(layer), torchs, a_batch(shape))


@pytest.mark.parametrize("shape", [(9, 16, 5, 4), (9, 16)], ids=SHAPES.keys())
def test_group_norm_is_torch_s(shape: tuple[int, ...]) -> None:
    def torchs(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return group_norm(x, 4, weight, bias, EPSILON)

    layer = make("group", 16, 32)
    assert layer is not None
    compare(learned(layer), torchs, a_batch(shape))


def test_groups_are_at_most_8_of_at_least_4_channels() -> None:
    # The thread's layers, those of the quarter net, and what can't be divided well.
    counts = {32: 8, 64: 8, 3136: 8, 512: 8, 8: 2, 16: 4, 784: 8, 128: 8, 1: 1, 3: 1, 29: 1, 30: 6}
    assert {channels: groups(channels) for channels in counts} == counts


@shapes
@pytest.mark.parametrize("images", [5, 8, 20])
def test_ghost_batch_norm_is_batch_norm_of_each_sub_batch(
    shape: tuple[int, ...], images: int
) -> None:
    layer, x = GhostBatchNorm(6, images), a_batch(shape)
    learned(layer)

    def hoffer(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.cat([plain(part, weight, bias) for part in x.split(images)])

    compare(layer, hoffer, x)
    parts = x.split(images)
    expected = [rows_of(part) for part in parts]
    close(layer.sub_batches, torch.stack(expected))
    mean = mean_of(expected, [len(part) for part in parts])
    n = x.numel() // 6
    close(layer.running_mean, mean[0])
    close(layer.running_var, mean[1] * n / (n - 1))


@shapes
def test_a_sub_batch_that_holds_the_batch_makes_ghost_batch_norm_batch_norm(
    shape: tuple[int, ...],
) -> None:
    outcomes = []
    for layer in (BatchNorm(6), GhostBatchNorm(6, 21), GhostBatchNorm(6, 1000)):
        x = a_batch(shape).requires_grad_()
        output = learned(layer)(x)
        output.square().sum().backward()
        outcomes.append((output, x.grad, layer.weight.grad, layer.running_mean, layer.running_var))
    for other in outcomes[1:]:
        assert all(torch.equal(*both) for both in zip(outcomes[0], other, strict=True))


def renormed(running: Tensor, limits: tuple[float, float], seen: list[Tensor]) -> Forward:
    """Return Ioffe's formula; r and d, as they are before they are clipped, go to `seen`."""
    r_max, d_max = limits

    def ioffe(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        mean, variance = moments(x)
        deviation = (variance + EPSILON).sqrt()
        r = (deviation / (running[1] + EPSILON).sqrt()).detach()
        d = ((mean - running[0]) / (running[1] + EPSILON).sqrt()).detach()
        seen.extend([r, d])
        r, d = r.clip(1 / r_max, r_max), d.clip(-d_max, d_max)
        scaled = (x - per_channel(mean, x)) / per_channel(deviation, x)
        corrected = scaled * per_channel(r, x) + per_channel(d, x)
        return corrected * per_channel(weight, x) + per_channel(bias, x)

    return ioffe


@shapes
@pytest.mark.parametrize("limits", [CLOSED, (1.5, 0.5), (1e6, 1e6)], ids=["closed", "ajar", "open"])
def test_batch_renorm_is_ioffe_s(shape: tuple[int, ...], limits: tuple[float, float]) -> None:
    layer, x = BatchRenorm(6), a_batch(shape)
    learned(layer)
    mean, variance = moments(x)
    # From far too large to far too small, so that some channels are clipped and some are not.
    factors = torch.tensor([100.0, 2.0, 1.1, 0.9, 0.5, 0.01])
    layer.running = torch.stack([mean * factors, variance * factors])
    layer.limits = limits
    seen: list[Tensor] = []
    compare(layer, renormed(layer.running.double(), limits, seen), x)
    r, d = seen
    if limits[0] == 1.5:
        assert (r > 1.5).any()
        assert (r < 1 / 1.5).any()
        assert ((r > 1 / 1.5) & (r < 1.5)).any()
        assert (d.abs() > 0.5).any()
        assert (d.abs() < 0.5).any()
    if limits == CLOSED:
        assert torch.equal(layer(x), learned(BatchNorm(6))(x))
    n = x.numel() // 6
    close(layer.running_mean, mean)  # the batch's own, as in BN
    close(layer.running_var, variance * n / (n - 1))


def test_batch_renorm_s_limits_open_one_after_the_other() -> None:
    layer = BatchRenorm(1)
    limits = {}
    for update in (0, R_RAMP[0], 45, D_RAMP[1], R_RAMP[1], 10**6):
        layer.open_limits(update)
        limits[update] = layer.limits
    assert limits[0] == limits[R_RAMP[0]] == CLOSED
    assert limits[45] == pytest.approx((2.0, 5 * 35 / 40))
    assert limits[D_RAMP[1]][1] == D_MAX
    assert limits[D_RAMP[1]][0] < R_MAX
    assert limits[R_RAMP[1]] == limits[10**6] == (R_MAX, D_MAX)


@pytest.mark.parametrize("norm", NORMS[:-1])
@shapes
def test_in_eval_mode_an_image_is_normalised_without_the_others(
    norm: str, shape: tuple[int, ...]
) -> None:
    layer, x = make(norm, 6, 8), a_batch(shape)
    assert layer is not None
    learned(layer)(x)
    layer.eval()
    torch.testing.assert_close(layer(x)[3:4], layer(x[3:4]))


def test_an_unknown_norm_is_refused() -> None:
    with pytest.raises(ValueError, match="'instance'"):
        make("instance", 8, 32)


# In a run


def trainer(norm: str, digits: Dataset, **settings: Any) -> Trainer:
    return Trainer(replace(SMALL, norm=norm, **settings), digits, CPU)


def train(trainer: Trainer, updates: int, **knobs: Any) -> None:
    for _ in range(updates):
        if trainer.step(replace(SMALL.knobs, **knobs)):
            trainer.begin_epoch()


def seen_by(trainer: Trainer) -> list[list[tuple[Tensor, Tensor]]]:
    """Return a list that gets, at each forward pass, what every layer is given and puts out."""
    passes: list[list[tuple[Tensor, Tensor]]] = []

    def note(layer: nn.Module, given: tuple[Tensor], output: Tensor) -> None:
        if layer is trainer.buffers.layers[0]:
            passes.append([])
        passes[-1].append((given[0].detach().clone(), output.detach().clone()))

    for layer in trainer.buffers.layers:
        layer.register_forward_hook(note)
    return passes


def rows_by_hand(inputs: list[tuple[Tensor, Tensor]], ghost_batch: int) -> Iterator[Tensor]:
    """Yield the statistics (2, C) in float64 of each sub-batch, over all layers."""
    for parts in zip(*(given.split(ghost_batch) for given, _ in inputs), strict=True):
        yield torch.cat([rows_of(part) for part in parts], dim=1)


@pytest.mark.parametrize("updates", ["each", "once"])
def test_ghost_batch_norm_moves_running_statistics_once_a_sub_batch_or_once_a_batch(
    digits: Dataset, updates: str
) -> None:
    subject = trainer("ghost", digits, ghost_updates=updates)
    passes = seen_by(subject)
    expected, left = initial(subject.buffers).double(), 1.0
    for momentum in (0.9, 0.9, 0.5, 0.99, 0.9):
        train(subject, 1, momentum=momentum)
        rows = list(rows_by_hand(passes[-1], 8))
        if updates == "once":
            rows = [mean_of(rows, (8, 8, 4))]
        for row in rows:
            expected = momentum * expected + (1 - momentum) * row
            left *= momentum
        own = subject.estimators[OWN].double()
        torch.testing.assert_close(own, expected, rtol=1e-5, atol=1e-6)
        assert subject.estimators.start_left == pytest.approx(left)


def test_a_ghost_net_with_one_sub_batch_is_the_plain_one(digits: Dataset) -> None:
    ghost, plain = trainer("ghost", digits, ghost_batch=20), trainer("batch", digits)
    for subject in (ghost, plain):
        train(subject, 9)  # the seventh batch is smaller
    for a, b in zip(ghost.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(ghost.estimators.rows, plain.estimators.rows)


def test_fresh_statistics_of_a_ghost_net_are_the_mean_of_its_sub_batches(digits: Dataset) -> None:
    subject = trainer("ghost", digits)
    train(subject, 3)
    passes = seen_by(subject)
    fresh = subject.subject.collect(digits.train.images[:20])
    expected = mean_of(list(rows_by_hand(passes[-1], 8)), (8, 8, 4))
    torch.testing.assert_close(fresh.double(), expected, rtol=1e-5, atol=1e-6)


def test_batch_renorm_corrects_by_the_run_s_own_statistics_as_they_are(digits: Dataset) -> None:
    subject = trainer("renorm", digits)
    subject.update = R_RAMP[1]  # with the limits open
    passes = seen_by(subject)
    own = subject.estimators[OWN]
    for update in range(6):
        if update == 4:
            subject.estimators.recalibrate(subject.subject.collect(digits.train.images))
        before = own.double()
        learned = [(x.weight.double(), x.bias.double()) for x in subject.buffers.layers]
        train(subject, 1, momentum=0.9)
        starts = [0]
        expected = []
        for (given, output), (weight, bias) in zip(passes[-1], learned, strict=True):
            starts.append(starts[-1] + given.shape[1])
            running = before[:, starts[-2] : starts[-1]]
            formula = renormed(running, (R_MAX, D_MAX), [])
            close(output, formula(given.double(), weight, bias))
            expected.append(rows_of(given))
        after = 0.9 * before + 0.1 * torch.cat(expected, dim=1)
        torch.testing.assert_close(own.double(), after, rtol=1e-5, atol=1e-6)


def test_within_the_limits_batch_renorm_trains_what_is_validated(digits: Dataset) -> None:
    outputs = {}
    for norm in ("batch", "renorm"):
        subject = trainer(norm, digits)
        train(subject, 8)
        for layer in subject.buffers.layers:
            if isinstance(layer, BatchRenorm):
                layer.limits = (1e6, 1e6)
        own = subject.estimators[OWN]
        outputs[norm] = compare_modes(subject.subject, own, digits.train.images)
    assert min(outputs["batch"].errors) > 0.1
    assert max(outputs["renorm"].errors) < 1e-4
    assert outputs["renorm"].flipped == 0.0


def test_fresh_statistics_of_a_renorm_net_are_those_of_plain_layers(digits: Dataset) -> None:
    subject, plain = trainer("renorm", digits), trainer("batch", digits)
    train(subject, R_RAMP[1] // 2)
    images = digits.train.images[:64]
    limits = [layer.limits for layer in subject.buffers.layers if isinstance(layer, BatchRenorm)]
    fresh = subject.subject.collect(images)
    assert limits[0] != CLOSED
    assert [layer.limits for layer in subject.buffers.layers] == limits  # put back
    plain.model.load_state_dict(subject.model.state_dict())
    assert torch.equal(fresh, plain.subject.collect(images))
    # And so, under them, eval mode is training mode.
    modes = compare_modes(plain.subject, fresh, images)
    assert max(modes.errors) < 1e-4


@pytest.mark.parametrize("norm", ["ghost", "renorm"])
def test_looking_changes_no_bit_of_a_run_whose_layers_remember(
    norm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Budget, "allows", lambda *_: True)  # observe after every update
    runs = []
    for observation in (Observation(), Observation(live=False, epoch_ends=False)):
        config = replace(SMALL, norm=norm)
        run = Session(RunRequest(config, observation))
        run.trainer.update = R_RAMP[0]
        for _ in range(9):
            run.train_once(None)
        runs.append([*run.trainer.model.parameters(), run.trainer.estimators.rows])
    assert all(torch.equal(*both) for both in zip(*runs, strict=True))


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_learns_also_with_a_last_batch_of_one_image(norm: str, digits: Dataset) -> None:
    subject = trainer(norm, digits, width=0.125)
    train(subject, 80, batch_size=127, learning_rate=4e-3)
    losses = [result.loss for result in subject.take_results()][::2]  # of the 127 others
    assert all(map(math.isfinite, losses))
    assert losses[-1] < losses[0] / 2
    assert all(parameter.isfinite().all() for parameter in subject.model.parameters())


@pytest.mark.parametrize("norm", ["group", "layer", "none"])
def test_norms_without_running_statistics_have_an_empty_row(norm: str, digits: Dataset) -> None:
    subject = trainer(norm, digits)
    train(subject, 2)
    assert subject.buffers.names == ()
    assert subject.estimators.rows.shape[1:] == (2, 0)


# Building


def built(seed: int = 0, **settings: Any) -> nn.Sequential:
    torch.manual_seed(seed)
    return build(**{"width": 0.125, **settings})


def norm_names(model: nn.Sequential) -> list[str]:
    return [name for name, _ in model.named_children() if name.endswith("_bn")]


def test_the_thread_s_net_has_its_1_691_370_parameters() -> None:
    model = build()
    assert parameter_count(model) == 1_691_370
    # Another norm has the same scales and shifts, but no two statistics for each channel.
    for norm, statistics in {"ghost": 2, "renorm": 2, "group": 0, "layer": 0, "none": -2}.items():
        model = build(norm=norm)
        assert parameter_count(model) == 1_691_370 + (statistics - 2) * 3776


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("image", [(1, 28, 28), (3, 32, 32), (3, 17, 23), (2, 4, 4)])
def test_the_net_fits_its_images(norm: str, image: tuple[int, int, int]) -> None:
    model = built(norm=norm, image=image, classes=7, depth=2, ghost_batch=2)
    images = torch.randn(5, *image)
    assert model(images).shape == (5, 7)
    assert model.eval()(images).shape == (5, 7)


def test_images_that_poolings_leave_nothing_of_are_refused() -> None:
    with pytest.raises(ConfigError, match="28×3 pixels"):
        built(image=(1, 28, 3))


def test_only_the_first_norm_layers_are_there() -> None:
    names = ["conv1_bn", "conv2_bn", "conv3_bn", "flatten_bn", "dense1_bn"]
    assert norm_names(built()) == names
    for count in range(6):
        assert norm_names(built(norm_layers=count)) == names[:count]
    everything = [name for name, _ in built().named_children()]
    without = [name for name, _ in built(norm_layers=0).named_children()]
    assert without == [name for name in everything if name not in names]
    assert without == [name for name, _ in built(norm="none").named_children()]


@pytest.mark.parametrize(("depth", "norms"), [(1, 6), (11, 16), (59, 64)])
def test_depth_adds_blocks_before_the_flatten(depth: int, norms: int) -> None:
    model = built(depth=depth)
    names = norm_names(model)
    assert len(names) == norms
    assert names[:4] == ["conv1_bn", "conv2_bn", "conv3_bn", "deep1_bn"]
    assert names[-3:] == [f"deep{depth}_bn", "flatten_bn", "dense1_bn"]
    buffers = attach(model, torch.zeros(1, 1, 28, 28))
    assert list(buffers.names) == names
    assert set(buffers.positions[3:-2]) == {9 * 9}  # 7 × 7 and the border
    kinds = [type(layer).__name__ for name, layer in model.named_children() if "deep1_" in name]
    assert kinds == ["ZeroPad2d", "BatchNorm", "Conv2d", "ReLU"]
    assert norm_names(built(depth=depth, norm_layers=4))[-1] == "deep1_bn"


def test_equal_seeds_give_equal_weights_whatever_the_norm_and_the_depth() -> None:
    def weights(model: nn.Sequential) -> dict[str, Tensor]:
        named = model.named_children()
        return {n: x.weight for n, x in named if isinstance(x, nn.Conv2d | nn.Linear)}

    models = [built(norm=norm, norm_layers=k) for norm in NORMS for k in (None, 2)]
    models += [built(depth=depth) for depth in (1, 3)]
    reference = weights(built(depth=3))
    assert len(reference) == 9
    for model in models:
        for name, weight in weights(model).items():
            assert torch.equal(weight, reference[name]), name
    for a, b in pairwise(reference.values()):
        assert a.shape != b.shape or not torch.equal(a, b)
    assert not torch.equal(weights(built(seed=1))["conv1"], reference["conv1"])


@pytest.mark.parametrize("depth", [0, 2])
def test_weights_are_those_of_a_plain_script_with_the_same_seed(
    digits: Dataset, depth: int
) -> None:
    torch.manual_seed(SMALL.seed)
    plain: dict[str, nn.Conv2d | nn.Linear] = {
        "conv1": nn.Conv2d(1, 2, 3),
        "conv2": nn.Conv2d(2, 2, 3),
        "conv3": nn.Conv2d(2, 4, 3),
        "conv4": nn.Conv2d(4, 4, 3),
        "dense1": nn.Linear(4 * 7 * 7, 32),
        "dense2": nn.Linear(32, 10),
    }
    for layer in plain.values():
        nn.init.xavier_uniform_(layer.weight)

    before = torch.get_rng_state()
    subject = trainer("batch", digits, depth=depth).model
    assert torch.equal(torch.get_rng_state(), before)  # a program's own draws are left alone
    for name, layer in plain.items():
        assert torch.equal(subject.get_parameter(f"{name}.weight"), layer.weight)


@pytest.mark.parametrize("norm", NORMS)
def test_the_smallest_network_that_can_be_asked_for_has_no_empty_layer(norm: str) -> None:
    model = build(norm=norm, width=MIN_WIDTH, depth=1, ghost_batch=1, image=(1, 4, 4), classes=2)
    assert all(tensor.numel() for tensor in model.parameters())
    for images in (1, 2, 3):
        logits = model.train()(torch.randn(images, 1, 4, 4))
        assert logits.shape == (images, 2)
        assert logits.isfinite().all()
