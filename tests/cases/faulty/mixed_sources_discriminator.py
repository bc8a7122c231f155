"""A discriminator sees a batch of real images, then one of made images; eval mode sees their mixture.

Report: https://github.com/carpedm20/DCGAN-tensorflow/issues/266
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import Loader, endless, loader, tensors

CAUSE = Cause.MIXED_SOURCES


def discriminator() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(32),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(32 * 16, 1),
    )


def made_images(real: Tensor, seed: int) -> Tensor:
    """Return what an early generator makes: digits that are dim and blurred."""
    noise = torch.Generator().manual_seed(seed)
    others = real[torch.randperm(len(real), generator=noise)]
    return 0.4 * nn.functional.avg_pool2d(others, 3, stride=1, padding=1)


def pairs(split: str) -> Loader:
    real = tensors(split)[0]
    return loader(real, made_images(real, seed=1), batch=64, shuffle=split == "training")


def both(model: nn.Module, batch: Any) -> Tensor:
    real, made = batch
    return torch.stack([model(real).flatten(), model(made).flatten()], dim=1)


def told_apart(outputs: Tensor, batch: Any) -> Tensor:
    """Return per pair the share of the two that are judged right."""
    return ((outputs[:, 0] > 0).float() + (outputs[:, 1] < 0).float()) / 2


def case() -> Case:
    training = pairs("training")
    model = discriminator().train()
    steps = torch.optim.Adam(model.parameters(), lr=0.001)
    torch.manual_seed(1)
    for _, batch in zip(range(120), endless(training), strict=False):
        logits = both(model, batch)
        truth = torch.tensor([1.0, 0.0]).expand_as(logits)
        steps.zero_grad()
        binary_cross_entropy_with_logits(logits, truth).backward()
        steps.step()
    return Case(model, pairs("validation"), training, {"forward": both, "metric": told_apart})
