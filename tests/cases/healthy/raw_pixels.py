"""BatchNorm1d on raw pixels, of which some are 0 in every image: channels without variance."""

from torch import nn

from tests.cases.case import Case
from tests.cases.data import digits, mlp
from tests.cases.fit import fit


def case() -> Case:
    flatten, *others = mlp()
    model = nn.Sequential(flatten, nn.BatchNorm1d(784), *others)

    return Case(fit(model, digits(), 500), digits("validation"), digits())
