"""The network that is built: its layers, its size, its weights."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bntui.core.parsers import MIN_WIDTH
from bntui.core.text import ConfigError
from bntui.data.dataset import Dataset
from bntui.measure.statistics import attach
from bntui.train.model import build, parameter_count
from tests.measure.formulas import NORMS
from tests.train.normed import SMALL, trainer


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
