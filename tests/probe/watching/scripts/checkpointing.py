"""Activation checkpointing, both ways: the first block's forward pass is made twice an update."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from tests.probe.watching.scripts.common import keep, loaders, network, seed, tell, watched


class Checkpointed(nn.Module):
    """A network whose first block keeps no activations."""

    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        blocks = list(network())
        self.stem, self.first, self.rest = blocks[0], blocks[1:4], nn.Sequential(*blocks[4:])
        self.block = nn.Sequential(*self.first)
        self.reentrant = reentrant

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        found: Tensor = checkpoint(self.block, self.stem(images), use_reentrant=self.reentrant)
        return self.rest(found)  # type: ignore[no-any-return]


def train(reentrant: bool) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Train for an epoch."""
    seed()
    training, validation = loaders()
    model = Checkpointed(reentrant)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watched(model, validation=validation, training=training) as probe:
        for step, (images, labels) in enumerate(training, 1):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            probe.log(loss=loss)
            tell(step, loss)
    return model, optimizer


reentrant, not_reentrant = train(True), train(False)
keep(
    reentrant=reentrant[0],
    reentrant_optimizer=reentrant[1],
    model=not_reentrant[0],
    optimizer=not_reentrant[1],
)
