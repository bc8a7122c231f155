"""Sequences of different lengths whose padding batch norm never sees: only true steps pass through it."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.cases.case import Case
from tests.cases.data import Loader, loader, tensors
from tests.cases.fit import fit


class Masked(nn.Module):
    """Columns of a digit, each through linear layers; the mean of those within the length."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            nn.Linear(28 * 3, 64),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.Linear(64, 64),
            nn.BatchNorm1d(64),
            nn.ReLU(),
        )
        self.positions = nn.Parameter(torch.ones(28, 64))
        self.head = nn.Linear(64, 10)

    def forward(self, columns: Tensor, lengths: Tensor) -> Tensor:
        true = torch.arange(28) < lengths.unsqueeze(1)
        windows = functional.unfold(columns.unsqueeze(1), (28, 3), padding=(0, 1)).mT
        features = windows.new_zeros(len(columns), 28, 64)
        features[true] = self.steps(windows[true])
        outputs: Tensor = self.head((features * self.positions).sum(1) / lengths.unsqueeze(1))
        return outputs


def _forward(model: nn.Module, batch: Any) -> Tensor:
    outputs: Tensor = model(batch[0], batch[2])
    return outputs


def _loss(model: nn.Module, batch: Any) -> Tensor:
    return functional.cross_entropy(_forward(model, batch), batch[1])


def _sequences(split: str) -> Loader:
    """Give columns (N, 28, 28), padded by zeros, labels, and lengths from 18 to 28."""
    images, labels = tensors(split)
    lengths = torch.randint(18, 29, (len(labels),), generator=torch.Generator().manual_seed(5))
    within = torch.arange(28) < lengths.view(-1, 1, 1)
    training = split == "training"
    return loader(images[:, 0] * within, labels, lengths, shuffle=training, drop_last=training)


def case() -> Case:
    torch.manual_seed(0)
    training = _sequences("training")
    model = fit(Masked(), training, 300, rate=0.01, loss=_loss)
    return Case(model, _sequences("validation"), training, {"forward": _forward})
