"""One layer of three has momentum 0.0001, and 200 updates later still the variance that it began with."""

from torch import Tensor, nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.MOMENTUM_TOO_SMALL


def large(images: Tensor) -> Tensor:
    return 6 * images


def case() -> Case:
    training = digits(change=large)
    model = small_cnn(pooled=True)
    stem = model[1]
    assert isinstance(stem, nn.BatchNorm2d)
    stem.momentum = 0.0001
    train(model, training, updates=200, rate=0.05)
    return Case(model.eval(), digits("validation", change=large), training)
