"""A small network that has been trained, with its batches."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


class Perceptron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(10, 16), nn.BatchNorm1d(16), nn.Linear(16, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.last(self.norm(self.first(inputs)).relu())
        return outputs


def batches(count: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    draws = torch.Generator().manual_seed(seed)
    inputs = 2.0 + 3.0 * torch.randn(count, 64, 10, generator=draws)
    return [(one, (one[:, 0] > 2.0).long()) for one in inputs]


TRAINING, VALIDATION = batches(16, 1), batches(8, 2)


def fitted() -> nn.Module:
    """Return a network after 128 updates, which has learned its two classes."""
    torch.manual_seed(0)
    model = Perceptron()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for inputs, labels in TRAINING * 8:
        loss = cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model
