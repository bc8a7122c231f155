"""Dense blocks in the manner of DenseNet: batch norm before the convolution, of all that came before."""

import torch
from torch import Tensor, nn

from tests.cases.case import Case
from tests.cases.data import digits
from tests.cases.fit import fit


class Dense(nn.Module):
    """A layer whose output is put beside its input."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, growth, 3, padding=1, bias=False),
        )

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([images, self.body(images)], 1)


def _transition(channels: int) -> list[nn.Module]:
    return [
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, channels // 2, 1, bias=False),
        nn.AvgPool2d(2),
    ]


def case() -> Case:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1, bias=False),
        *(Dense(8 + 8 * layer, 8) for layer in range(3)),
        *_transition(32),
        *(Dense(16 + 8 * layer, 8) for layer in range(3)),
        *_transition(40),
        nn.BatchNorm2d(20),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(20, 10),
    )
    return Case(fit(model, digits(), 180), digits("validation"), digits())
