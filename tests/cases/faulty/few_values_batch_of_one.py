"""Memory allows one image a batch: deep layers normalise by the 16 positions of that image alone.

Report: https://github.com/wolny/pytorch-3dunet/issues/53
"""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.FEW_VALUES


def case() -> Case:
    training = digits(batch=1)
    model = train(small_cnn(pooled=True), training, updates=1200, rate=0.01, optimizer="adam")
    return Case(model, digits("validation"), training)
