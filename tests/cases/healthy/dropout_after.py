"""Dropout after the last batch norm, where it changes no statistics."""

import torch
from torch import nn

from tests.cases.case import Case
from tests.cases.data import digits
from tests.cases.fit import fit


def case() -> Case:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, 2, 1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(16 * 49, 64),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(64, 10),
    )
    return Case(fit(model, digits(), 300), digits("validation"), digits())
