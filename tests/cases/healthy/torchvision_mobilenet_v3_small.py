"""torchvision's MobileNet v3, the small one: torch's momentum at 0.01."""

from tests.cases.case import Case
from tests.cases.vision import torchvision_case

SLOW = True


def case() -> Case:
    return torchvision_case("mobilenet_v3_small", updates=800, batch=16, rate=0.0015)
