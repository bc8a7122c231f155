"""torchvision's DenseNet-121: 121 layers of batch norm."""

from tests.cases.case import Case
from tests.cases.vision import torchvision_case

SLOW = True


def case() -> Case:
    return torchvision_case("densenet121", updates=90)
