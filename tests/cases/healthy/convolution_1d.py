"""One-dimensional convolutions over a digit that is read column by column."""

import torch
from torch import nn

from tests.cases.case import Case
from tests.cases.data import digits
from tests.cases.fit import fit


def case() -> Case:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for channels, wide, stride in ((28, 32, 1), (32, 48, 2), (48, 64, 2)):
        layers += [
            nn.Conv1d(channels, wide, 3, stride, 1, bias=False),
            nn.BatchNorm1d(wide),
            nn.ReLU(),
        ]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(64, 10))
    training = digits(change=lambda images: images.squeeze(1))
    validation = digits("validation", change=lambda images: images.squeeze(1))
    return Case(fit(model, training, 400), validation, training)
