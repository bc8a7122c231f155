"""Weights are averaged, `update_bn` is forgotten, and the model goes to half precision, which is blamed.

Report, of the averaging: https://github.com/mosaicml/composer/issues/624
"""

from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.AVERAGED_WEIGHTS


def halved(images: Tensor) -> Tensor:
    return images.half()


def case() -> Case:
    model = small_cnn(pooled=True)
    train(model, digits(), updates=60, rate=0.1)
    averaged = AveragedModel(model)
    for _ in range(6):
        train(model, digits(), updates=20, rate=0.1)
        averaged.update_parameters(model)
    return Case(
        averaged.module.eval().half(),
        digits("validation", change=halved),
        digits(change=halved),
        {"averaged_from": model.half()},
    )
