"""The port to another library keeps that library's ε of 0.001, and the variances are smaller than it.

Report: https://github.com/gzuidhof/nn-transfer/pull/3
"""

from copy import deepcopy

from torch import Tensor, nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.EXPORTED_DIFFERENTLY


def dark(images: Tensor) -> Tensor:
    return (images * 0.3081 + 0.1307) * 0.1


def case() -> Case:
    training = digits(change=dark)
    model = train(small_cnn(pooled=True), training, updates=200, rate=0.1).eval()
    port = deepcopy(model)
    for layer in port.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps = 1e-3
    return Case(model, digits("validation", change=dark), training, {"against": port})
