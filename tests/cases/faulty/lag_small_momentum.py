"""Momentum 0.02 averages over the last fifty updates, in which the weights moved far.

Source: https://arxiv.org/abs/2105.07576
"""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.LAG


def case() -> Case:
    training = digits()
    model = train(small_cnn(momentum=0.02, pooled=True), training, updates=300, rate=0.1)
    return Case(model, digits("validation"), training)
