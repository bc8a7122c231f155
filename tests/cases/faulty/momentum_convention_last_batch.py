"""Momentum 0.9, as other libraries write it, leaves the statistics of the short last batch of an epoch.

Report: https://github.com/kazuto1011/deeplab-pytorch/issues/79
"""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import loader, mlp, tensors, train

CAUSE = Cause.MOMENTUM_CONVENTION


def case() -> Case:
    images, labels = tensors()
    training = loader(images[:1922], labels[:1922], batch=32, shuffle=True)
    model = train(mlp(momentum=0.9), training, updates=5 * len(training), rate=0.02)
    return Case(model, loader(*tensors("validation")), training)
