"""torchvision's ShuffleNet v2, half as wide."""

from tests.cases.case import Case
from tests.cases.vision import torchvision_case

SLOW = True


def case() -> Case:
    return torchvision_case("shufflenet_v2_x0_5", updates=300)
