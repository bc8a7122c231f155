"""Inverted residuals with depthwise convolutions, as in MobileNet v2."""

import torch
from torch import Tensor, nn

from tests.cases.case import Case
from tests.cases.data import digits
from tests.cases.fit import fit


def _convolution(
    channels: int, wide: int, kernel: int, stride: int, groups: int
) -> list[nn.Module]:
    return [
        nn.Conv2d(channels, wide, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(wide),
    ]


class InvertedResidual(nn.Module):
    """Widen, filter each channel by itself, narrow; added to its input where the shapes agree."""

    def __init__(self, channels: int, narrow: int, stride: int) -> None:
        super().__init__()
        wide = channels * 2
        self.body = nn.Sequential(
            *_convolution(channels, wide, 1, 1, 1),
            nn.ReLU6(),
            *_convolution(wide, wide, 3, stride, wide),
            nn.ReLU6(),
            *_convolution(wide, narrow, 1, 1, 1),
        )
        self.added = stride == 1 and channels == narrow

    def forward(self, images: Tensor) -> Tensor:
        changed: Tensor = self.body(images)
        return images + changed if self.added else changed


def case() -> Case:
    torch.manual_seed(0)
    model = nn.Sequential(
        *_convolution(1, 8, 3, 2, 1),
        nn.ReLU6(),
        InvertedResidual(8, 8, 1),
        InvertedResidual(8, 16, 2),
        InvertedResidual(16, 16, 1),
        InvertedResidual(16, 24, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(24, 10),
    )
    return Case(fit(model, digits(), 200), digits("validation"), digits())
