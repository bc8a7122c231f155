"""Pixels of 0 to 0.1 give tiny variances, and what 24 updates leave of the start value 1 covers them."""

from torch import Tensor

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.START_VALUES


def dark(images: Tensor) -> Tensor:
    return (images * 0.3081 + 0.1307) * 0.1


def case() -> Case:
    training = digits(batch=256, change=dark)
    model = train(small_cnn(), training, updates=24, rate=0.1)
    return Case(model, digits("validation", change=dark), training)
