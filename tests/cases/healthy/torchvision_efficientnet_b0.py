"""torchvision's EfficientNet-B0: whole branches left out by chance before batch norm."""

from tests.cases.case import Case
from tests.cases.vision import torchvision_case

SLOW = True


def case() -> Case:
    return torchvision_case("efficientnet_b0", updates=190, rate=0.005)
