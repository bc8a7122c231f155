"""A siamese net: one encoder for both images of a pair, called twice a pass; do they show the same digit?"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from tests.cases.case import Case
from tests.cases.data import small_cnn, tensors
from tests.cases.fit import fit


class Siamese(nn.Module):
    """Classes from the difference of two codes."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = small_cnn()
        self.head = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        outputs: Tensor = self.head((self.encoder(left) - self.encoder(right)).abs())
        return outputs


def _forward(model: nn.Module, batch: Any) -> Any:
    left, right = batch[0]
    return model(left, right)


class Pairs(Dataset[Any]):
    """Gives ((image, image), whether they show the same digit); half of the pairs do."""

    def __init__(self, split: str, count: int) -> None:
        images, labels = tensors(split)
        draw = torch.Generator().manual_seed(5)
        left = torch.randint(len(labels), (count,), generator=draw)
        self.same = torch.arange(count) % 2
        right = torch.empty_like(left)
        for pair in range(count):
            fits = (labels == labels[left[pair]]) == bool(self.same[pair])
            choice = fits.nonzero().flatten()
            right[pair] = choice[torch.randint(len(choice), (1,), generator=draw)]
        self.left, self.right = images[left], images[right]

    def __len__(self) -> int:
        return len(self.same)

    def __getitem__(self, index: int) -> Any:
        return (self.left[index], self.right[index]), self.same[index]


def case() -> Case:
    order = torch.Generator().manual_seed(0)
    training = DataLoader(
        Pairs("training", 4000), 64, shuffle=True, generator=order, drop_last=True
    )
    model = fit(
        Siamese(),
        training,
        300,
        loss=lambda model, batch: functional.cross_entropy(_forward(model, batch), batch[1]),
    )
    validation = DataLoader(Pairs("validation", 1000), 64)
    return Case(model, validation, training, {"forward": _forward})
