"""Of two sets of batch norm layers, for plain and for adversarial images, training calls one, and eval mode the
other.

Report of the effect: https://github.com/kkahatapitiya/X3D-Multigrid/issues/8
"""

from typing import cast

import torch
from torch import Tensor, nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, train

CAUSE = Cause.PARTLY_UNTOUCHED
WIDTHS = (8, 16, 32)


def bright(images: Tensor) -> Tensor:
    """Return pixels of 2 to 5."""
    return 2 + 3 * (images * 0.3081 + 0.1307)


class TwoSets(nn.Module):
    """Convolutions, each with a batch norm layer of either set."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convs = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
            for inputs, outputs in zip((1, *WIDTHS), WIDTHS, strict=False)
        )
        self.main = nn.ModuleList(nn.BatchNorm2d(width) for width in WIDTHS)
        self.adversarial = nn.ModuleList(nn.BatchNorm2d(width) for width in WIDTHS)
        self.head = nn.Linear(WIDTHS[-1] * 16, 10)

    def forward(self, images: Tensor) -> Tensor:
        norms = self.adversarial if self.training else self.main
        for conv, norm in zip(self.convs, norms, strict=True):
            images = torch.relu(norm(conv(images)))
        return cast("Tensor", self.head(images.flatten(1)))


def case() -> Case:
    training = digits(change=bright)
    model = train(TwoSets(), training, updates=124, rate=0.01, optimizer="adam")
    return Case(model, digits("validation", change=bright), training)
