"""Momentum 0 is taken for "no averaging": running statistics never leave 0 and 1.

Report: https://github.com/pytorch/pytorch/issues/15298
"""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, mlp, train

CAUSE = Cause.MOMENTUM_TOO_SMALL


def case() -> Case:
    training = digits()
    model = train(mlp(momentum=0.0), training, updates=400, rate=0.05)
    return Case(model, digits("validation"), training)
