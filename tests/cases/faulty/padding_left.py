"""Sequences of like length come together and are padded on the left to one length: batch norm counts the zeros,
4 % to 95 % of a batch."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import loader
from tests.cases.fit import fit

CAUSE = Cause.PADDING
LONGEST = 96


def sequences(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return padded sequences (N, 4, 96), labels, which the mean tells, and what is no padding (N, 96)."""
    draw = torch.Generator().manual_seed(seed)
    lengths = (5 * torch.exp(2.95 * torch.rand(count, generator=draw))).long().clamp(4, 92)
    labels = torch.randint(4, (count,), generator=draw)
    noise = torch.randn(count, 4, LONGEST, generator=draw)
    kept = torch.arange(LONGEST) >= LONGEST - lengths[:, None]
    values = 2 + 0.45 * labels[:, None, None] + 1.2 * noise
    return values * kept[:, None], labels, kept


class Masked(nn.Module):
    """Convolutions that see zeros for padding, as the mean over time leaves it out; batch norm does not."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convs = nn.ModuleList(
            nn.Conv1d(inputs, width, 3, padding=1, bias=False) for inputs in (4, width, width)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(3))
        self.head = nn.Linear(width, 4)

    def forward(self, values: Tensor, kept: Tensor) -> Tensor:
        mask = kept[:, None].float()
        for conv, norm in zip(self.convs, self.norms, strict=True):
            values = torch.relu(norm(conv(values * mask) * mask))
        outputs: Tensor = self.head((values * mask).sum(dim=2) / mask.sum(dim=2))
        return outputs


def forward(model: nn.Module, batch: Any) -> Tensor:
    values, _, kept = batch
    outputs: Tensor = model(values, kept)
    return outputs


def loss(model: nn.Module, batch: Any) -> Tensor:
    return functional.cross_entropy(forward(model, batch), batch[1])


def case() -> Case:
    columns = sequences(1920, seed=1)
    buckets = columns[2].sum(dim=1).argsort().split(32)
    order = torch.randperm(len(buckets), generator=torch.Generator().manual_seed(3))
    sampler = [buckets[index].tolist() for index in order.tolist()]
    training = DataLoader(TensorDataset(*columns), batch_sampler=sampler)
    model = fit(Masked(), training, updates=480, rate=0.004, loss=loss)
    validation = loader(*sequences(500, seed=2), batch=50)
    return Case(model, validation, training, {"forward": forward})
