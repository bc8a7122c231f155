"""The discriminator of a GAN gets real images and made ones in batches of their own; eval mode normalises both by
statistics of the two in turn, and takes the ones for the others.

Report: https://github.com/aimerykong/OpenGAN/issues/10
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import binary_cross_entropy_with_logits

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import Loader, endless, loader, tensors

CAUSE = Cause.MIXED_SOURCES
SIDE = 16


def discriminator() -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in ((1, 16), (16, 32), (32, 32)):
        layers += [
            nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(0.2),
        ]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 4, 1))


def generator() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(16, 128),
        nn.ReLU(),
        nn.Linear(128, SIDE * SIDE),
        nn.Tanh(),
        nn.Unflatten(1, (1, SIDE, SIDE)),
    )


def real_images(split: str, count: int) -> Tensor:
    """Return digits of -1 (black) to 1."""
    pixels = tensors(split)[0][:count] * 0.3081 + 0.1307
    return 2 * functional.adaptive_avg_pool2d(pixels, SIDE) - 1


def both(model: nn.Module, batch: Any) -> Tensor:
    real, made = batch
    return torch.cat([model(real), model(made)], dim=1)


def told_apart(outputs: Tensor, batch: Any) -> Tensor:
    """Return per pair the share of the two that are judged right."""
    return ((outputs[:, 0] > 0).float() + (outputs[:, 1] < 0).float()) / 2


def fit(judge: nn.Module, maker: nn.Module, real: Loader, updates: int) -> None:
    """Train the two in turn, as DCGAN does."""
    judges = torch.optim.Adam(judge.parameters(), lr=0.0005, betas=(0.5, 0.99))
    makers = torch.optim.Adam(maker.parameters(), lr=0.001, betas=(0.5, 0.99))
    for _, (images,) in zip(range(updates), endless(real), strict=False):
        made = maker(torch.randn(len(images), 16))
        logits = both(judge, (images, made.detach()))
        truth = torch.tensor([1.0, 0.0]).expand_as(logits)
        judges.zero_grad()
        (2 * binary_cross_entropy_with_logits(logits, truth)).backward()
        judges.step()
        fooled = judge(made)
        makers.zero_grad()
        binary_cross_entropy_with_logits(fooled, torch.ones_like(fooled)).backward()
        makers.step()


def case() -> Case:
    torch.manual_seed(0)
    judge, maker = discriminator(), generator()
    real, other_real = real_images("training", 1600), real_images("validation", 400)
    fit(judge, maker, loader(real, batch=32, shuffle=True, drop_last=True), updates=200)
    with torch.no_grad():
        made, other_made = (maker(torch.randn(count, 16)) for count in (1600, 400))
    training = loader(real, made, batch=32, shuffle=True, drop_last=True)
    validation = loader(other_real, other_made, batch=50)
    return Case(judge, validation, training, {"forward": both, "metric": told_apart})
