"""Batch norm without scale and shift (affine=False)."""

import torch
from torch import nn

from tests.cases.case import Case
from tests.cases.data import digits
from tests.cases.fit import fit


def case() -> Case:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1),
        nn.BatchNorm2d(8, affine=False),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, 2, 1),
        nn.BatchNorm2d(16, affine=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 49, 10),
    )
    return Case(fit(model, digits(), 300), digits("validation"), digits())
