"""torchvision's ResNet-18."""

from tests.cases.case import Case
from tests.cases.vision import torchvision_case

SLOW = True


def case() -> Case:
    return torchvision_case("resnet18", updates=110)
