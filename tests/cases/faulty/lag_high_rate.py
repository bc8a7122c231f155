"""The learning rate stays high to the end, and running statistics follow moving weights late.

Source: https://arxiv.org/abs/2105.07576
"""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.LAG


def case() -> Case:
    training = digits()
    model = train(small_cnn(pooled=True), training, updates=100, rate=0.1)
    return Case(model, digits("validation"), training)
