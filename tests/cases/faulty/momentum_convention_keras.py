"""Keras's momentum 0.99 is given to torch, which takes it for the share of the newest batch.

Report: https://github.com/pytorch/examples/issues/289
"""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, mlp, train

CAUSE = Cause.MOMENTUM_CONVENTION


def case() -> Case:
    training = digits(batch=8)
    model = train(mlp(momentum=0.99), training, updates=500, rate=0.02)
    return Case(model, digits("validation"), training)
