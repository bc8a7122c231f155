"""A backbone trained on the digits 0 to 4 and frozen, weights and statistics; a head tells all ten."""

from typing import Self

import torch
from torch import Tensor, nn

from tests.cases.case import Case
from tests.cases.data import digits, loader, small_cnn, tensors
from tests.cases.fit import fit


class FineTuned(nn.Module):
    """The backbone stays in eval mode whatever the mode of the whole."""

    def __init__(self, backbone: nn.Sequential) -> None:
        super().__init__()
        self.backbone = backbone.requires_grad_(False)
        self.head = nn.Sequential(
            nn.Linear(128, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10)
        )

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.backbone(images))
        return outputs


def case() -> Case:
    images, labels = tensors()
    low = labels < 5
    first = fit(small_cnn(), loader(images[low], labels[low], shuffle=True, drop_last=True), 120)
    # Its last two layers are replaced: pooled to 2×2, 128 values are left of an image.
    backbone = nn.Sequential(*list(first)[:-2], nn.AdaptiveAvgPool2d(2), nn.Flatten())
    torch.manual_seed(0)
    return Case(fit(FineTuned(backbone), digits(), 200), digits("validation"), digits())
