"""Batches of three domains, plain, inverted and dim with noise, come in turn, in training and in validation."""

from collections.abc import Iterator

import torch
from torch import Tensor

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import Loader, loader, small_cnn, tensors
from tests.cases.fit import fit

CAUSE = Cause.MIXED_SOURCES


def inverted(pixels: Tensor) -> Tensor:
    return 1.8 - 1.5 * pixels


def noisy(pixels: Tensor) -> Tensor:
    noise = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(1))
    return 0.5 * pixels - 1 + 0.2 * noise


class InTurn:
    """A batch of each loader, then the next of each."""

    def __init__(self, *loaders: Loader) -> None:
        self.loaders = loaders

    def __len__(self) -> int:
        return len(self.loaders) * min(len(one) for one in self.loaders)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        for batches in zip(*self.loaders, strict=True):
            yield from batches


def domains(split: str, each: int) -> InTurn:
    images, labels = tensors(split)
    pixels = images * 0.3081 + 0.1307
    first, second, third = (slice(number * each, (number + 1) * each) for number in range(3))
    columns = [
        (pixels[first], labels[first]),
        (inverted(pixels[second]), labels[second]),
        (noisy(pixels[third]), labels[third]),
    ]
    training = split == "training"
    return InTurn(*(loader(*one, batch=50, shuffle=training) for one in columns))


def case() -> Case:
    training = domains("training", each=1300)
    model = fit(small_cnn(width=12), training, updates=390, rate=0.003)
    return Case(model, domains("validation", each=300), training)
