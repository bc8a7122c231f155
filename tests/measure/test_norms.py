"""The normalisation layers against torch's own and the papers' formulas in float64.

The formulas are written out and differentiated by autograd; ours has its own backward pass.
"""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import group_norm, layer_norm

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
from tests.measure.formulas import (
    NORMS,
    Forward,
    a_batch,
    close,
    learned,
    mean_of,
    moments,
    per_channel,
    plain,
    renormed,
    rows_of,
)

SHAPES = {"images": (21, 6, 5, 4), "vectors": (21, 6)}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())


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
