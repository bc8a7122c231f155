"""Weights are moved beyond the fine-tuned model, buffers too: some running variances become negative.

Report of such variances: https://github.com/shicai/MobileNet-Caffe/issues/87
"""

from copy import deepcopy

from torch import Tensor

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.NON_FINITE


def dim(images: Tensor) -> Tensor:
    return (images * 0.3081 + 0.1307) * 0.5


def case() -> Case:
    base = train(small_cnn(), digits(), updates=100, rate=0.05)
    training = digits(change=dim)
    tuned = train(deepcopy(base), training, updates=100, rate=0.02)
    state, start = tuned.state_dict(), base.state_dict()
    beyond = {
        name: start[name] + 1.3 * (tensor - start[name]) if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }
    tuned.load_state_dict(beyond)
    return Case(tuned.eval(), digits("validation", change=dim), training)
