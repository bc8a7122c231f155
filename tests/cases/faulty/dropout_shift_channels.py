"""Dropout2d drops whole channels before convolution and batch norm.

Report: https://github.com/pytorch/pytorch/issues/3869
"""

import torch
from torch import nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, train

CAUSE = Cause.DROPOUT_SHIFT


def network() -> nn.Sequential:
    torch.manual_seed(0)
    blocks: list[nn.Module] = []
    channels = 1
    for wide in (8, 16, 32):
        blocks += [
            nn.Conv2d(channels, wide, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Dropout2d(0.4),
            nn.Conv2d(wide, wide, 3, padding=1),
            nn.Dropout2d(0.4),
            nn.BatchNorm2d(wide),
            nn.ReLU(),
        ]
        channels = wide
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))


def case() -> Case:
    training = digits()
    model = train(network(), training, updates=200, rate=0.05)
    return Case(model, digits("validation"), training)
