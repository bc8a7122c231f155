"""Two outputs, the digit and whether it is even, from batches that are named tuples."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from tests.cases.case import Case
from tests.cases.data import small_cnn, tensors
from tests.cases.fit import fit


class Sample(NamedTuple):
    """An image and what is to be told of it."""

    image: Tensor
    digit: Tensor
    even: Tensor


class Samples(Dataset[Sample]):
    def __init__(self, split: str) -> None:
        self.images, self.labels = tensors(split)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Sample:
        label = self.labels[index]
        return Sample(self.images[index], label, (label % 2 == 0).long())


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = small_cnn()[:-1]
        self.digit, self.even = nn.Linear(512, 10), nn.Linear(512, 2)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(images)
        return self.digit(features), self.even(features)


def _loss(model: nn.Module, batch: Any) -> Tensor:
    digit, even = model(batch.image)
    return functional.cross_entropy(digit, batch.digit) + functional.cross_entropy(even, batch.even)


def _both_correct(outputs: tuple[Tensor, Tensor], batch: Sample) -> Tensor:
    digit, even = outputs
    return ((digit.argmax(1) == batch.digit) & (even.argmax(1) == batch.even)).float()


def case() -> Case:
    order = torch.Generator().manual_seed(0)
    training = DataLoader(Samples("training"), 64, shuffle=True, generator=order, drop_last=True)
    validation = DataLoader(Samples("validation"), 64)
    return Case(
        fit(TwoHeads(), training, 250, loss=_loss), validation, training, {"metric": _both_correct}
    )
