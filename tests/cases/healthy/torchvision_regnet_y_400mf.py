"""torchvision's RegNet Y, 400 MF."""

from tests.cases.case import Case
from tests.cases.vision import torchvision_case

SLOW = True


def case() -> Case:
    return torchvision_case("regnet_y_400mf", updates=180)
