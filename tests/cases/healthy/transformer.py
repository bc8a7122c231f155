"""A transformer with batch norm in place of layer norm, over the channels of all patches."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.cases.case import Case
from tests.cases.data import digits
from tests.cases.fit import fit


class Block(nn.Module):
    """Attention and two linear layers, each added to its input and then normalised."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.linear = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.after_attention, self.after_linear = nn.BatchNorm1d(width), nn.BatchNorm1d(width)

    def forward(self, patches: Tensor) -> Tensor:
        attended, _ = self.attention(patches, patches, patches, need_weights=False)
        patches = self.after_attention((patches + attended).mT).mT
        normed: Tensor = self.after_linear((patches + self.linear(patches)).mT).mT
        return normed


class Transformer(nn.Module):
    """Sixteen patches of 7×7 pixels, two blocks, and a head for their mean."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.patches = nn.Linear(49, width)
        self.positions = nn.Parameter(torch.randn(16, width) * 0.1)
        self.blocks = nn.Sequential(Block(width), Block(width))
        self.head = nn.Linear(width, 10)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patches(functional.unfold(images, 7, stride=7).mT) + self.positions
        outputs: Tensor = self.head(self.blocks(patches).mean(1))
        return outputs


def case() -> Case:
    torch.manual_seed(0)
    return Case(fit(Transformer(), digits(), 300), digits("validation"), digits())
