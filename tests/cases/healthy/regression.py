"""Regression: how far a digit was moved, with the negative squared error as metric."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.cases.case import Case
from tests.cases.data import Loader, loader, tensors
from tests.cases.fit import fit


def _moved(split: str, count: int) -> Loader:
    images = tensors(split)[0][:count]
    shifts = torch.randint(-4, 5, (count, 2), generator=torch.Generator().manual_seed(5))
    moved = [
        image.roll((int(rows), int(columns)), (1, 2))
        for image, (rows, columns) in zip(images, shifts, strict=True)
    ]
    training = split == "training"
    return loader(torch.stack(moved), shifts / 4, shuffle=training, drop_last=training)


def _metric(outputs: Tensor, shifts: Tensor) -> Tensor:
    return -(outputs - shifts).square().mean(1)


def case() -> Case:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, 2, 1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 49, 32),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Linear(32, 2),
    )
    training = _moved("training", 4000)
    fit(
        model,
        training,
        400,
        loss=lambda model, batch: functional.mse_loss(model(batch[0]), batch[1]),
    )
    return Case(model, _moved("validation", 1000), training, {"metric": _metric})
