"""Batches of 8 images through convolutions: few images, but many positions for each channel."""

from tests.cases.case import Case
from tests.cases.data import digits, small_cnn
from tests.cases.fit import fit


def case() -> Case:
    model = fit(small_cnn(), digits(batch=8), 1000)
    return Case(model, digits("validation"), digits(batch=8))
