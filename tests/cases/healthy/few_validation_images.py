"""Sixty validation images, one a batch: a score that moves by 1.7 % with a single image."""

from tests.cases.case import Case
from tests.cases.data import digits, small_cnn
from tests.cases.fit import fit


def case() -> Case:
    model = fit(small_cnn(), digits(), 150)
    return Case(model, digits("validation", batch=1, count=60), digits())
