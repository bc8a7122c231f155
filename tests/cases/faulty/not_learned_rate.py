"""The learning rate is a thousand times too low."""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.NOT_LEARNED


def case() -> Case:
    training = digits()
    model = train(small_cnn(), training, updates=100, rate=0.00001)
    return Case(model, digits("validation"), training)
