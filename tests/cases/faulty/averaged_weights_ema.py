"""An exponential average of the parameters only, made by hand: its buffers are those of the first copy.

Report: https://github.com/CuriousAI/mean-teacher/issues/9
"""

from copy import deepcopy

import torch

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, mlp, train

CAUSE = Cause.AVERAGED_WEIGHTS


def case() -> Case:
    training = digits()
    model = train(mlp(), training, updates=10, rate=0.1)
    average = deepcopy(model)

    @torch.no_grad()
    def follow(update: int) -> None:
        for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
            mean.lerp_(weight, 0.02)

    train(model, training, updates=600, rate=0.1, after=follow)
    return Case(average, digits("validation"), training, {"averaged_from": model})
