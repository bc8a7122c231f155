"""Each of two domains has batch norm layers of its own, and a checkpoint lost the statistics of the second's."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits
from tests.cases.fit import fit

CAUSE = Cause.PARTLY_UNTOUCHED


class DomainNorm(nn.Module):
    """A batch norm layer for each of two domains."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.BatchNorm2d(width), nn.BatchNorm2d(width)

    def forward(self, images: Tensor, domain: int) -> Tensor:
        outputs: Tensor = (self.second if domain else self.first)(images)
        return outputs


class Adapted(nn.Module):
    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.conv, self.norm = nn.Conv2d(1, 12, 3, stride=2, padding=1), DomainNorm(12)
        self.second_conv = nn.Conv2d(12, 24, 3, stride=2, padding=1)
        self.second_norm = DomainNorm(24)
        self.head = nn.Linear(24 * 4, 10)

    def forward(self, images: Tensor, domain: int) -> Tensor:
        hidden = torch.relu(self.norm(self.conv(images), domain))
        hidden = torch.relu(self.second_norm(self.second_conv(hidden), domain))
        outputs: Tensor = self.head(functional.adaptive_avg_pool2d(hidden, 2).flatten(1))
        return outputs


class InTurn:
    """A batch as it is (domain 0), then the same inverted (domain 1), and so on."""

    def __init__(self, split: str) -> None:
        self.digits = digits(split, batch=32)

    def __len__(self) -> int:
        return 2 * len(self.digits)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, int]]:
        for images, labels in self.digits:
            yield images, labels, 0
            yield 3 - 1.5 * images, labels, 1


def forward(model: nn.Module, batch: Any) -> Tensor:
    images, _, domain = batch
    outputs: Tensor = model(images, domain)
    return outputs


def loss(model: nn.Module, batch: Any) -> Tensor:
    return functional.cross_entropy(forward(model, batch), batch[1])


def case() -> Case:
    training = InTurn("training")
    trained = fit(Adapted(seed=0), training, updates=320, rate=0.01, loss=loss)
    kept = {
        name: tensor
        for name, tensor in trained.state_dict().items()
        if not (".second." in name and ("running" in name or "tracked" in name))
    }
    model = Adapted(seed=1)
    model.load_state_dict(kept, strict=False)
    return Case(model.eval(), InTurn("validation"), training, {"forward": forward})
