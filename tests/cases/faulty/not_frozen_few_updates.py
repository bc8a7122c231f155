"""The backbone's weights are frozen by requires_grad, its running statistics move on to the new data.

Report: https://github.com/pytorch/pytorch/issues/86590
"""

from torch import Tensor, nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.NOT_FROZEN


def inverted(images: Tensor) -> Tensor:
    """Return black digits on white."""
    return (1 - 2 * 0.1307) / 0.3081 - images


def case() -> Case:
    model = small_cnn()
    train(model, digits(count=2000), updates=120, rate=0.05)
    for weight in model.parameters():
        weight.requires_grad_(False)
    model[-1] = nn.Linear(512, 10)
    training = digits(change=inverted)
    train(model, training, updates=8, rate=0.01)
    return Case(model, digits("validation", change=inverted), training)
