"""timm's smallest model with BatchNormAct2d."""

from tests.cases.case import Case
from tests.cases.vision import timm_case

SLOW = True


def case() -> Case:
    return timm_case("test_efficientnet", updates=300)
