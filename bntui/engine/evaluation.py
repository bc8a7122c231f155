"""Loss and accuracy of a model in eval mode, under one or many rows of statistics."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.modules.batchnorm import _BatchNorm

from bntui.engine.data import Split
from bntui.engine.snapshot import Score
from bntui.engine.statistics import Buffers

CHUNK = 250
"""Images per forward pass: small enough to stay in cache and to answer a pause in between."""


def evaluate(
    model: nn.Sequential,
    buffers: Buffers,
    rows: Sequence[Tensor],
    split: Split,
    classes: int,
    breathe: Callable[[], None] = lambda: None,
) -> list[Score]:
    """Evaluate on every image of `split` under each of `rows` (2, C); changes nothing.

    Exactly what evaluating under one after the other gives, for less: equal rows are evaluated once,
    and what lies before the first BN layer is computed once for all of them. `breathe` is called
    before each pass: it may wait (a pause) or raise (a stop).
    """
    distinct = {row.cpu().numpy().tobytes(): row for row in rows}
    first = next((i for i, layer in enumerate(model) if isinstance(layer, _BatchNorm)), len(model))
    before, after = model[:first], model[first:]
    totals = {key: _Total(classes, split.images.device) for key in distinct}
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), buffers.holding(buffers.row):
            for start in range(0, len(split), CHUNK):
                breathe()
                shared = before(split.images[start : start + CHUNK])
                labels = split.labels[start : start + CHUNK]
                for key, row in distinct.items():
                    breathe()
                    buffers.row.copy_(row)
                    totals[key].add(after(shared), labels)
    finally:
        model.train(was_training)
    scores = {key: total.score(len(split)) for key, total in totals.items()}
    return [scores[row.cpu().numpy().tobytes()] for row in rows]


class _Total:
    """Sums over images, on their device."""

    def __init__(self, classes: int, device: torch.device) -> None:
        self._loss = torch.zeros((), device=device)
        self._predicted = torch.zeros(classes, dtype=torch.int64, device=device)
        self._correct = torch.zeros((), dtype=torch.int64, device=device)

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Add one chunk of images."""
        guesses = logits.argmax(1)
        self._loss += cross_entropy(logits, labels, reduction="sum")
        self._correct += (guesses == labels).sum()
        self._predicted += torch.bincount(guesses, minlength=len(self._predicted))

    def score(self, images: int) -> Score:
        """Return the averages."""
        return Score(
            loss=self._loss.item() / images,
            accuracy=self._correct.item() / images,
            predicted=tuple(self._predicted.tolist()),
        )
