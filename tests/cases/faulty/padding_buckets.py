"""Sequences are padded with zeros to one length and sorted into batches by their own: the share of zeros, which
batch norm counts, is 95 % in one batch and none in the next.

Report: https://github.com/pytorch/pytorch/issues/70529
"""

import math

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import Loader, train

CAUSE = Cause.PADDING
LONGEST = 160


def sequences(count: int, seed: int) -> tuple[list[Tensor], Tensor]:
    """Return noisy waves (3, length) about 1, and labels: six pairs of frequencies."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(6, (count,), generator=draw)
    waves = []
    for label in labels.tolist():
        length = int(torch.randint(8, LONGEST + 1, (), generator=draw))
        phase = torch.rand(3, 1, generator=draw) * 2 * math.pi
        frequency = torch.tensor([[0.1 + 0.05 * label], [0.35 - 0.04 * label], [0.2]])
        wave = torch.sin(2 * math.pi * frequency * torch.arange(length) + phase)
        waves.append(1 + wave + 0.7 * torch.randn(3, length, generator=draw))
    return waves, labels


def bucketed(waves: list[Tensor], labels: Tensor, batch: int) -> Loader:
    """Return padded sequences in batches of similar length, the batches in random order."""
    padded = torch.stack([nn.functional.pad(one, (0, LONGEST - one.shape[1])) for one in waves])
    by_length = torch.tensor([one.shape[1] for one in waves]).argsort()
    buckets = by_length.split(batch)
    order = torch.randperm(len(buckets), generator=torch.Generator().manual_seed(3))
    sampler = [buckets[index].tolist() for index in order.tolist()]
    return DataLoader(TensorDataset(padded, labels), batch_sampler=sampler)


class Waves(nn.Module):
    """Convolutions with batch norm; padding is left out of the mean over time, and not of batch norm."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv1d(3, width, 5, padding=2, bias=False)
        self.first_norm = nn.BatchNorm1d(width)
        self.second = nn.Conv1d(width, width, 5, padding=2, bias=False)
        self.second_norm = nn.BatchNorm1d(width)
        self.head = nn.Linear(width, 6)

    def forward(self, waves: Tensor) -> Tensor:
        kept = (waves != 0).any(dim=1, keepdim=True).float()
        hidden = torch.relu(self.first_norm(self.first(waves))) * kept
        hidden = torch.relu(self.second_norm(self.second(hidden))) * kept
        outputs: Tensor = self.head(hidden.sum(dim=-1) / kept.sum(dim=-1))
        return outputs


def case() -> Case:
    training = bucketed(*sequences(1024, seed=0), batch=32)
    model = train(Waves(), training, updates=160, rate=0.003, optimizer="adam")
    waves, labels = sequences(400, seed=1)
    unpadded = [(wave[None], label[None]) for wave, label in zip(waves, labels, strict=True)]
    return Case(model, unpadded, training)
