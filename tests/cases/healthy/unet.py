"""A U-Net that finds the strokes of a digit in noise: a label per pixel."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.cases.case import Case
from tests.cases.data import Loader, loader, tensors
from tests.cases.fit import fit


def _block(channels: int, wide: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()
    )


class UNet(nn.Module):
    """Two levels down, two up, and what was seen on the way down beside what comes up."""

    def __init__(self) -> None:
        super().__init__()
        self.top, self.middle, self.bottom = _block(1, 8), _block(8, 16), _block(16, 32)
        self.up_middle, self.up_top = _block(32 + 16, 16), _block(16 + 8, 8)
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        top = self.top(images)
        middle = self.middle(functional.max_pool2d(top, 2))
        bottom = self.bottom(functional.max_pool2d(middle, 2))
        middle = self.up_middle(
            torch.cat([functional.interpolate(bottom, scale_factor=2), middle], 1)
        )
        top = self.up_top(torch.cat([functional.interpolate(middle, scale_factor=2), top], 1))
        outputs: Tensor = self.head(top)
        return outputs


def _noisy(split: str, count: int) -> Loader:
    images = tensors(split)[0][:count]
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(5))
    training = split == "training"
    return loader(
        images + noise,
        (images[:, 0] > 0.5).long(),
        batch=32,
        shuffle=training,
        drop_last=training,
    )


def case() -> Case:
    torch.manual_seed(0)
    model = fit(UNet(), _noisy("training", 2000), 120)
    return Case(model, _noisy("validation", 512), _noisy("training", 2000))
