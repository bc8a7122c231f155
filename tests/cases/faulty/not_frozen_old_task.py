"""A second head is trained on a frozen backbone left in training mode: its first task has lost its statistics.

Report: https://github.com/wasidennis/AdaptSegNet/issues/79
"""

from torch import Tensor, nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, loader, small_cnn, tensors, train

CAUSE = Cause.NOT_FROZEN


def inverted(images: Tensor) -> Tensor:
    """Return black digits on white."""
    return (1 - 2 * 0.1307) / 0.3081 - images


def case() -> Case:
    training = digits()
    model = small_cnn()
    train(model, training, updates=150, rate=0.05)
    backbone, old_head = model[:-1], model[-1]
    for weight in backbone.parameters():
        weight.requires_grad_(False)
    images, labels = tensors()
    parity = loader(inverted(images), labels % 2, shuffle=True)
    train(nn.Sequential(backbone, nn.Linear(512, 2)), parity, updates=60, rate=0.02)
    return Case(nn.Sequential(backbone, old_head), digits("validation"), training)
