"""Validation images with noise that training images lack: bad in both modes."""

import torch

from tests.cases.case import Case
from tests.cases.data import digits, small_cnn
from tests.cases.fit import fit


def case() -> Case:
    noise = torch.randn(1000, 1, 28, 28, generator=torch.Generator().manual_seed(5))
    validation = digits("validation", change=lambda images: images + 1.5 * noise)
    return Case(fit(small_cnn(), digits(), 300), validation, digits())
