"""A checkpoint of the parameters alone is loaded with strict=False: buffers stay at 0 and 1.

Report: https://github.com/torch/nn/issues/1165
"""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.NEVER_UPDATED


def case() -> Case:
    training = digits()
    trained = train(small_cnn(pooled=True), training, updates=200, rate=0.1)
    checkpoint = dict(trained.named_parameters())
    model = small_cnn(pooled=True, seed=7)
    model.load_state_dict(checkpoint, strict=False)
    return Case(model.eval(), digits("validation"), training)
