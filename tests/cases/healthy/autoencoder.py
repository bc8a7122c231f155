"""An autoencoder whose batches are tensors, without labels."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from tests.cases.case import Case
from tests.cases.data import tensors
from tests.cases.fit import fit


def _metric(outputs: Tensor, images: Tensor) -> Tensor:
    return -(outputs - images).square().flatten(1).mean(1)


def _images(split: str) -> Any:
    order = torch.Generator().manual_seed(0)
    training = split == "training"
    images: Any = tensors(split)[0]
    return DataLoader(images, 64, shuffle=training, generator=order, drop_last=training)


def case() -> Case:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, 2, 1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 49, 24),
        nn.BatchNorm1d(24),
        nn.Linear(24, 16 * 49),
        nn.Unflatten(1, (16, 7, 7)),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 4, 2, 1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 4, 2, 1),
    )
    training = _images("training")
    fit(model, training, 180, loss=lambda model, batch: functional.mse_loss(model(batch), batch))
    return Case(model, _images("validation"), training, {"metric": _metric})
