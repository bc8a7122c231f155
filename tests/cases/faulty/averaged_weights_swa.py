"""`AveragedModel` averages weights, copies the buffers of the last model, and `update_bn` was forgotten.

Report: https://github.com/Lightning-AI/pytorch-lightning/issues/14866
"""

from torch.optim.swa_utils import AveragedModel

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.AVERAGED_WEIGHTS


def case() -> Case:
    training = digits()
    model = train(small_cnn(pooled=True), training, updates=60, rate=0.1)
    averaged = AveragedModel(model)
    for _ in range(6):
        train(model, training, updates=20, rate=0.1)
        averaged.update_parameters(model)
    return Case(averaged, digits("validation"), training)
