"""A GAN: two networks with batch norm, two optimisers, and real and made images in batches of their own."""

import torch
from torch import nn
from torch.nn import functional

from tests.probe.watching.scripts.common import keep, loaders, network, seed, tell, watched

seed()
training, _ = loaders()
generator = nn.Sequential(
    nn.Linear(8, 16 * 9, bias=False),
    nn.Unflatten(1, (16, 3, 3)),
    nn.BatchNorm2d(16),
    nn.ReLU(),
    nn.Upsample(scale_factor=4),
    nn.Conv2d(16, 3, 3, padding=1),
)
discriminator = network(classes=1)
of_generator = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.999))
of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.999))
both = nn.ModuleDict({"generator": generator, "discriminator": discriminator})
with watched(both) as probe:
    for step, (real, _) in enumerate(training, 1):
        made = generator(torch.randn(len(real), 8))
        scores = discriminator(real), discriminator(made.detach())
        of_discriminator.zero_grad()
        loss = functional.softplus(-scores[0]).mean() + functional.softplus(scores[1]).mean()
        loss.backward()
        of_discriminator.step()
        of_generator.zero_grad()
        fooled = functional.softplus(-discriminator(made)).mean()
        fooled.backward()
        of_generator.step()
        probe.log(loss=loss)
        tell(step, loss)
        tell(step, fooled)
keep(
    generator=generator,
    discriminator=discriminator,
    of_generator=of_generator,
    of_discriminator=of_discriminator,
)
