"""BN folded into the layer behind it gives what the layers give one by one."""

import pytest
import torch
from torch import Tensor, nn

from bntui.measure.folded import halved, run_folded
from bntui.measure.norms import EPSILON, BatchNorm
from bntui.train.model import build


def with_statistics(network: nn.Sequential) -> nn.Sequential:
    """Give every BN layer statistics, scales and shifts that are no special case."""
    draws = torch.Generator().manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            layer.running_mean.normal_(1.0, 2.0, generator=draws)
            layer.running_var.uniform_(0.001, 9.0, generator=draws)
            nn.init.normal_(layer.weight, generator=draws)
            nn.init.normal_(layer.bias, generator=draws)
    return network.eval()


def in_parts(modules: list[nn.Module], batch: Tensor) -> Tensor:
    """Run the modules in parts that begin with BN or the padding before it."""
    starts = [
        place - isinstance(modules[place - 1], nn.ZeroPad2d)
        for place, module in enumerate(modules)
        if isinstance(module, nn.BatchNorm2d)
    ]
    for start, end in zip([0, *starts], [*starts, len(modules)], strict=True):
        batch = run_folded(modules[start:end], batch)
    return batch


@pytest.mark.parametrize("norm", ["batch", "ghost", "renorm", "none", "group"])
@pytest.mark.parametrize("image", [(1, 28, 28), (3, 30, 25)])
@torch.no_grad()
def test_the_network_gives_the_same(norm: str, image: tuple[int, int, int]) -> None:
    network = build(norm=norm, depth=1, width=0.125, image=image)
    network.to(memory_format=torch.channels_last)
    with_statistics(network)
    images = torch.randn(5, *image, generator=torch.Generator().manual_seed(1))
    expected = network(images)
    found = in_parts(list(network), images)
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()


@torch.no_grad()
def test_layers_that_do_not_follow_bn_directly_run_as_they_are() -> None:
    norm, images = BatchNorm(4), torch.randn(2, 4, 6, 6)
    for modules in (
        [norm],
        [norm, nn.ReLU(), nn.Conv2d(4, 2, 3)],
        [nn.ZeroPad2d((1, 0, 1, 0)), norm, nn.Conv2d(4, 2, 3)],
        [norm, nn.Conv2d(4, 2, 3, padding=1)],
        [nn.ZeroPad2d(1), nn.Conv2d(4, 4, 3), norm],
    ):
        network = with_statistics(nn.Sequential(*modules))
        assert torch.equal(run_folded(list(network), images), network(images))


@torch.no_grad()
def test_layers_without_bias_and_with_strides_are_folded_too() -> None:
    modules = [nn.ZeroPad2d(2), BatchNorm(4), nn.Conv2d(4, 2, 3, stride=2, bias=False)]
    network = with_statistics(nn.Sequential(*modules))
    images = torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(run_folded(modules, images), network(images), atol=1e-4)
    modules = [BatchNorm(4), nn.Linear(4, 3, bias=False)]
    network = with_statistics(nn.Sequential(*modules))
    values = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(run_folded(modules, values), network(values), atol=1e-4)


@pytest.mark.parametrize("place", range(3))
@torch.no_grad()
def test_hooks_see_what_they_always_do(place: int) -> None:
    modules = [nn.ZeroPad2d(1), BatchNorm(4), nn.Conv2d(4, 2, 3)]
    network = with_statistics(nn.Sequential(*modules))
    images, seen = torch.randn(2, 4, 6, 6), list[Tensor]()
    modules[place].register_forward_hook(lambda _, __, output: seen.append(output))
    assert torch.equal(run_folded(modules, images), network(images))
    assert torch.equal(*seen)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [(28, 28), (7, 5), (2, 3)])
def test_the_greatest_of_four_is_torch_s(
    memory_format: torch.memory_format, size: tuple[int, int]
) -> None:
    images = torch.randn(3, 4, *size, generator=torch.Generator().manual_seed(0))
    images[0, 0, 0, 0] = torch.nan
    images[1, 0] = -torch.inf
    images = images.contiguous(memory_format=memory_format)
    expected = nn.functional.max_pool2d(images, 2)
    assert torch.equal(halved(images).nan_to_num(7.0), expected.nan_to_num(7.0))


@torch.no_grad()
def test_a_variance_of_nothing_is_no_division_by_zero() -> None:
    norm, dense = BatchNorm(2).eval(), nn.Linear(2, 2)
    assert norm.running_var is not None
    norm.running_var.zero_()
    values = torch.ones(1, 2)
    assert torch.allclose(
        run_folded([norm, dense], values), dense(values / EPSILON**0.5), rtol=1e-5
    )
