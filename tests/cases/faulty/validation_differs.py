"""The transform for validation lacks the step that scales pixels to mean 0 and variance 1.

Report: https://github.com/bearpaw/pytorch-pose/issues/4
"""

from torch import Tensor

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.VALIDATION_DIFFERS


def unscaled(images: Tensor) -> Tensor:
    """Return pixels of 0 to 1, as `ToTensor` leaves them."""
    return images * 0.3081 + 0.1307


def case() -> Case:
    training = digits()
    model = train(small_cnn(pooled=True), training, updates=300, rate=0.05)
    return Case(model, digits("validation", change=unscaled), training)
