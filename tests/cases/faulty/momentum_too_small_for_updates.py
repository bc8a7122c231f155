"""Momentum 0.0005 suits a run of a million updates; this one makes 250.

Report, where a smaller one still is the advice: https://github.com/pytorch/pytorch/issues/3869
"""

from torch import Tensor

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.MOMENTUM_TOO_SMALL


def unscaled(images: Tensor) -> Tensor:
    """Return pixels of 0 to 1, as `ToTensor` leaves them."""
    return images * 0.3081 + 0.1307


def case() -> Case:
    training = digits(change=unscaled)
    model = train(small_cnn(momentum=0.0005), training, updates=250, rate=0.05)
    return Case(model, digits("validation", change=unscaled), training)
