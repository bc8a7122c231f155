"""One epoch of large batches makes eight updates, and momentum 0.1 keeps 43 % of the start values.

Report: https://github.com/pytorch/pytorch/issues/4741
"""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, mlp, train

CAUSE = Cause.START_VALUES


def case() -> Case:
    training = digits(batch=500)
    model = train(mlp(hidden=(64, 64, 64)), training, updates=8, rate=0.1)
    return Case(model, digits("validation"), training)
