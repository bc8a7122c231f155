"""Two hidden layers with BatchNorm1d, trained for eight epochs."""

from tests.cases.case import Case
from tests.cases.data import digits, mlp
from tests.cases.fit import fit


def case() -> Case:
    model = fit(mlp(), digits(), 500)
    return Case(model, digits("validation"), digits())
