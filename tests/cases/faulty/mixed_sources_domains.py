"""Batches of two domains, bright and dim photographs, come in turn; eval mode normalises by their mixture.

Report: https://github.com/scikit-adaptation/skada/issues/252
"""

from collections.abc import Iterator

from torch import Tensor

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import Loader, loader, mlp, tensors, train

CAUSE = Cause.MIXED_SOURCES


def dim(images: Tensor) -> Tensor:
    return (images * 0.3081 + 0.1307) * 0.2


class InTurn:
    """A batch of the first loader, a batch of the second, and so on."""

    def __init__(self, first: Loader, second: Loader) -> None:
        self.first, self.second = first, second

    def __len__(self) -> int:
        return 2 * min(len(self.first), len(self.second))

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        for one, other in zip(self.first, self.second, strict=True):
            yield one
            yield other


def domains(split: str) -> InTurn:
    images, labels = tensors(split)
    half, training = len(images) // 2, split == "training"
    return InTurn(
        loader(images[:half], labels[:half], shuffle=training),
        loader(dim(images[half:]), labels[half:], shuffle=training),
    )


def case() -> Case:
    training = domains("training")
    model = train(mlp(), training, updates=300, rate=0.05)
    return Case(model, domains("validation"), training)
