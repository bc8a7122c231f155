"""Point sets far from the origin are filled up with zeros, and read from files of similar size: batch norm
counts the filling.

Report of the effect: https://github.com/Tomiinek/Multilingual_Text_to_Speech/issues/81
"""

import torch
from torch import Tensor, nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import loader, train

CAUSE = Cause.PADDING
MOST = 120


def point_sets(count: int, seed: int) -> tuple[list[Tensor], Tensor]:
    """Return points (3, number) of boxes, balls and shells about (4, 4, 4), and which of them they are."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=draw)
    sets = []
    for label in labels.tolist():
        number = int(torch.randint(10, MOST + 1, (), generator=draw))
        points = torch.randn(3, number, generator=draw)
        if label == 0:
            points = points.sign() * torch.rand(3, number, generator=draw)
        elif label == 1:
            radius = torch.rand(1, number, generator=draw) ** (1 / 3)
            points = points / points.norm(dim=0) * radius
        else:
            points = points / points.norm(dim=0)
        sets.append(4 + points)
    return sets, labels


def filled(sets: list[Tensor]) -> Tensor:
    return torch.stack([nn.functional.pad(one, (0, MOST - one.shape[1])) for one in sets])


class PointNet(nn.Module):
    """The same layers for every point, then their maximum; the filling is left out of it."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.norm = nn.BatchNorm1d(3)
        self.first, self.first_norm = nn.Conv1d(3, width, 1), nn.BatchNorm1d(width)
        self.second, self.second_norm = nn.Conv1d(width, width, 1), nn.BatchNorm1d(width)
        self.head = nn.Linear(width, 3)

    def forward(self, points: Tensor) -> Tensor:
        kept = (points != 0).any(dim=1, keepdim=True)
        hidden = torch.relu(self.first_norm(self.first(self.norm(points))))
        hidden = torch.relu(self.second_norm(self.second(hidden)))
        mean = (hidden * kept).sum(dim=-1) / kept.sum(dim=-1)
        outputs: Tensor = self.head(mean)
        return outputs


def case() -> Case:
    sets, labels = point_sets(1024, seed=0)
    files = torch.tensor([one.shape[1] for one in sets]).argsort().split(32)
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(3))
    read = torch.cat([files[index] for index in order.tolist()])
    training = loader(filled(sets)[read], labels[read], batch=32)
    model = train(PointNet(), training, updates=240, rate=0.003, optimizer="adam")
    sets, labels = point_sets(400, seed=1)
    single = [(one[None], label[None]) for one, label in zip(sets, labels, strict=True)]
    return Case(model, single, training)
