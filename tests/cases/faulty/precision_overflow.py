"""half() for serving turns running variances of raw 12-bit scans, above 65,504, into infinity.

Report: https://github.com/apple/coreai-torch/pull/54
"""

from torch import Tensor

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.PRECISION


def raw(images: Tensor) -> Tensor:
    """Return pixels of 0 to 4095."""
    return (images * 0.3081 + 0.1307) * 4095


def half(images: Tensor) -> Tensor:
    return raw(images).half()


def case() -> Case:
    model = train(small_cnn(), digits(change=raw), updates=150, rate=0.1)
    return Case(model.half().eval(), digits("validation", change=half), digits(change=half))
