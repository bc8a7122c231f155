"""Training in bfloat16 throughout: small steps of running statistics are rounded away, and
variances stop at a power of two."""

from torch import Tensor

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, mlp, train

CAUSE = Cause.PRECISION


def brief(images: Tensor) -> Tensor:
    return images.bfloat16()


def case() -> Case:
    training = digits(batch=32, change=brief)
    model = train(mlp(momentum=0.002).bfloat16(), training, updates=1500, rate=0.02)
    return Case(model, digits("validation", change=brief), training)
