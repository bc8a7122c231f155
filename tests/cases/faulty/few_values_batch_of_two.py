"""BatchNorm1d sees two samples a batch, and gives every feature of them -1 and +1, whatever they are."""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, mlp, train

CAUSE = Cause.FEW_VALUES


def case() -> Case:
    training = digits(batch=2)
    model = train(mlp(), training, updates=1000, rate=0.003)
    return Case(model, digits("validation"), training)
