"""Trained on 256 digits until it knows them by heart: validation lags for want of data, not by batch norm."""

from tests.cases.case import Case
from tests.cases.data import digits, small_cnn
from tests.cases.fit import fit


def case() -> Case:
    training = digits(batch=32, count=256)
    return Case(fit(small_cnn(), training, 300), digits("validation"), training)
