"""Batch norm is folded into the convolution before it, and the convolution's bias is not scaled with it.

Report: https://github.com/XiaoMi/mace/issues/262
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, train

CAUSE = Cause.EXPORTED_DIFFERENTLY


def dark(images: Tensor) -> Tensor:
    return (images * 0.3081 + 0.1307) * 0.1


def network() -> nn.Sequential:
    torch.manual_seed(0)
    blocks: list[nn.Module] = []
    channels = 1
    for wide in (8, 16, 32):
        blocks += [
            nn.Conv2d(channels, wide, 3, stride=2, padding=1),
            nn.BatchNorm2d(wide),
            nn.ReLU(),
        ]
        channels = wide
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(32 * 16, 10))


@torch.no_grad()
def folded(model: nn.Sequential) -> nn.Sequential:
    """Return a copy without batch norm layers; the bias is wrong."""
    layers: list[nn.Module] = []
    for layer in deepcopy(model):
        if not isinstance(layer, nn.BatchNorm2d):
            layers.append(layer)
            continue
        conv = layers[-1]
        assert isinstance(conv, nn.Conv2d)
        assert conv.bias is not None
        assert layer.running_var is not None
        assert layer.running_mean is not None
        scale = layer.weight / (layer.running_var + layer.eps).sqrt()
        conv.weight.mul_(scale[:, None, None, None])
        conv.bias.add_(layer.bias - layer.running_mean * scale)
    return nn.Sequential(*layers).eval()


def case() -> Case:
    training = digits(change=dark)
    model = network()
    train(model, training, updates=200, rate=0.1)
    model.eval()
    return Case(model, digits("validation", change=dark), training, {"against": folded(model)})
