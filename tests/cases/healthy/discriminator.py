"""A GAN's discriminator that sees real and generated images in one batch."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.cases.case import Case
from tests.cases.data import Loader, digits, endless, loader, tensors


def _generator() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(16, 16 * 49),
        nn.Unflatten(1, (16, 7, 7)),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 4, 2, 1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 4, 2, 1),
    )


def _discriminator() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 8, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(8, 16, 4, 2, 1, bias=False),
        nn.BatchNorm2d(16),
        nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, 3, 2, 1, bias=False),
        nn.BatchNorm2d(32),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(32 * 16, 1),
    )


def _loss(logits: Tensor, real: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits.flatten(), real)


def _judged(outputs: Tensor, real: Tensor) -> Tensor:
    return ((outputs.flatten() > 0) == (real > 0.5)).float()


def _mixed(split: str, count: int, generator: nn.Module) -> Loader:
    """Give as many real images as generated ones, and which is which."""
    with torch.no_grad():
        made = generator(torch.randn(count, 16, generator=torch.Generator().manual_seed(5)))
    real = torch.cat([torch.ones(count), torch.zeros(count)])
    images = torch.cat([tensors(split)[0][:count], made])
    return loader(images, real, shuffle=True, drop_last=split == "training")


def case() -> Case:
    torch.manual_seed(0)
    generator, discriminator = _generator(), _discriminator()
    of_generator, of_discriminator = (
        torch.optim.Adam(one.parameters(), lr=0.001, betas=(0.5, 0.999))
        for one in (generator, discriminator)
    )
    real = torch.cat([torch.ones(32), torch.zeros(32)])
    for _, (images, _) in zip(range(150), endless(digits(batch=32)), strict=False):
        made = generator(torch.randn(32, 16))
        of_discriminator.zero_grad()
        _loss(discriminator(torch.cat([images, made.detach()])), real).backward()
        of_discriminator.step()
        of_generator.zero_grad()
        # The same half real, half generated: other batches would have other statistics.
        _loss(discriminator(torch.cat([images, made]))[32:], torch.ones(32)).backward()
        of_generator.step()
    training = _mixed("training", 2000, generator)
    for _, (images, labels) in zip(range(60), endless(training), strict=False):
        of_discriminator.zero_grad()
        _loss(discriminator(images), labels).backward()
        of_discriminator.step()
    discriminator.eval()
    validation = _mixed("validation", 500, generator)
    return Case(discriminator, validation, training, {"metric": _judged})
