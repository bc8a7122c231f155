"""Dropout after every linear layer, batch norm after it: in eval mode nothing is dropped, and the variance is less than in training.

Source: https://arxiv.org/abs/1801.05134
"""

import torch
from torch import nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, train

CAUSE = Cause.DROPOUT_SHIFT


def dropped(width: int, rate: float) -> nn.Sequential:
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Flatten()]
    inputs = 784
    for _ in range(3):
        layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(rate)]
        layers += [nn.Linear(width, width), nn.Dropout(rate), nn.BatchNorm1d(width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 10))


def case() -> Case:
    training = digits()
    model = train(dropped(256, 0.6), training, updates=450, rate=0.001, optimizer="adam")
    return Case(model, digits("validation"), training)
