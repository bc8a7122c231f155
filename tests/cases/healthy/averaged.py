"""Weights averaged over the second half of training, and update_bn after it."""

from torch.optim.swa_utils import AveragedModel, update_bn

from tests.cases.case import Case
from tests.cases.data import digits, small_cnn
from tests.cases.fit import fit

UPDATES = 300


def case() -> Case:
    model = small_cnn()
    averaged = AveragedModel(model)

    def average(update: int) -> None:
        if update > UPDATES // 2:
            averaged.update_parameters(model)

    fit(model, digits(), UPDATES, after=average)
    update_bn(digits(), averaged)
    averaged.eval()
    return Case(averaged, digits("validation"), digits(), {"averaged_from": model})
