"""momentum=None: running statistics are the mean over all updates since the last epoch began."""

from torch import nn

from tests.cases.case import Case
from tests.cases.data import digits, small_cnn
from tests.cases.fit import fit

EPOCH = 62
EPOCHS = 5


def case() -> Case:
    model = small_cnn(momentum=None)

    def forget(update: int) -> None:
        if update == EPOCH * (EPOCHS - 1):
            for layer in model:
                if isinstance(layer, nn.BatchNorm2d):
                    layer.reset_running_stats()

    fit(model, digits(), EPOCH * EPOCHS, after=forget)
    return Case(model, digits("validation"), digits())
