"""A hundred images are learned by heart; batch norm is all right."""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, mlp, train

CAUSE = Cause.OVERFITTING


def case() -> Case:
    training = digits(batch=20, count=100)
    model = train(mlp(), training, updates=300, rate=0.01)
    return Case(model, digits("validation"), training)
