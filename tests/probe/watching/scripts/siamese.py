"""One network for both images of a pair: each of its layers is called twice an update."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.probe.watching.scripts.common import keep, loaders, network, seed, tell, watched


class Siamese(nn.Module):
    """A network called twice, and the distance of what it puts out."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = network(classes=8)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the distance of each pair."""
        return functional.pairwise_distance(self.inside(first), self.inside(second))


seed()
training, _ = loaders()
model = Siamese()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
with watched(model) as probe:
    for step, (images, labels) in enumerate(training, 1):
        half = len(images) // 2
        same = (labels[:half] == labels[half:]).float()
        distance = model(images[:half], images[half:])
        loss = (same * distance**2 + (1 - same) * functional.relu(2 - distance) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        probe.log(loss=loss)
        tell(step, loss)
keep(model=model, optimizer=optimizer)
