"""Replacing one batch norm layer by another class, a helper copies weight and bias and forgets the buffers."""

from torch import nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.PARTLY_UNTOUCHED


def case() -> Case:
    training = digits()
    model = small_cnn(pooled=True)
    train(model, training, updates=250, rate=0.05)
    old = model[4]
    assert isinstance(old, nn.BatchNorm2d)
    new = nn.SyncBatchNorm(old.num_features)
    new.weight, new.bias = old.weight, old.bias
    model[4] = new
    return Case(model.eval(), digits("validation"), training)
