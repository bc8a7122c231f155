"""Loss and accuracy of a model in eval mode, under one or many rows of statistics."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.modules.batchnorm import _BatchNorm

from bntui.core.measured import Difference, Score
from bntui.data.dataset import Split
from bntui.measure.statistics import Buffers

CHUNK = 250
"""Images per forward pass: small enough to stay in cache and to answer a pause in between."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One evaluation, image by image, so that two of them can be compared in pairs."""

    losses: Tensor
    """float64 (N,), on the CPU."""
    correct: Tensor
    """bool (N,)."""
    predicted: tuple[int, ...]
    """How many images each class was predicted for."""

    @property
    def score(self) -> Score:
        """The averages."""
        images = max(1, len(self.losses))
        accuracy = int(self.correct.sum()) / images
        return Score(float(self.losses.sum()) / images, accuracy, self.predicted)

    def less(self, other: "Outcome") -> Difference:
        """Return this evaluation less `other`, which is of the same images.

        Errors are those of paired comparisons. Of accuracy as in McNemar's test, √(b + c)/N with
        the b and c images that only one of the two has right (1 where there is none, for none of
        few images does not mean that there never is one); of loss the standard error of the mean of
        the images' differences.
        """
        images = len(self.losses)
        gained = int((self.correct & ~other.correct).sum())
        lost = int((other.correct & ~self.correct).sum())
        losses = self.losses - other.losses
        spread = float(losses.std()) if images > 1 else math.inf
        return Difference(
            accuracy=(gained - lost) / images,
            accuracy_error=math.sqrt(max(1, gained + lost)) / images,
            loss=float(losses.mean()),
            loss_error=spread / math.sqrt(images),
            images=images,
            of_loss=float(other.losses.mean()),
        )


def evaluate(
    model: nn.Sequential,
    buffers: Buffers,
    rows: Sequence[Tensor],
    split: Split,
    classes: int,
    breathe: Callable[[], None] = lambda: None,
) -> list[Outcome]:
    """Evaluate on every image of `split` under each of `rows` (2, C); changes nothing.

    Exactly what evaluating under one after the other gives, for less: rows that agree in the first
    k BN layers share what is computed up to the next one, and equal rows share everything. `breathe`
    is called before each pass from one BN layer to the next: it may wait (a pause) or raise (a stop).
    """
    pieces = list(_pieces(model))
    parts = [row.split(buffers.channels, dim=1) if buffers.layers else () for row in rows]
    keys = [
        [part.numpy().tobytes() for part in row.cpu().split(buffers.channels, dim=1)]
        if buffers.layers
        else []
        for row in rows
    ]
    places = buffers.row.split(buffers.channels, dim=1) if buffers.layers else ()
    logits: dict[int, list[Tensor]] = {number: [] for number in range(len(rows))}

    def go_on(depth: int, batch: Tensor, members: Sequence[int]) -> None:
        """Take `batch` through BN layer `depth` and on, under the rows `members`."""
        if depth == len(places):
            for member in members:
                logits[member].append(batch)
            return
        alike: dict[bytes, list[int]] = {}
        for member in members:
            alike.setdefault(keys[member][depth], []).append(member)
        for group in alike.values():
            breathe()
            places[depth].copy_(parts[group[0]][depth])
            go_on(depth + 1, pieces[depth + 1](batch), group)

    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), buffers.holding(buffers.row):
            for start in range(0, len(split), CHUNK):
                breathe()
                shared = pieces[0](split.images[start : start + CHUNK])
                go_on(0, shared, range(len(rows)))
            return [_outcome(torch.cat(each), split.labels, classes) for each in logits.values()]
    finally:
        model.train(was_training)


def _pieces(model: nn.Sequential) -> Iterator[nn.Sequential]:
    """Cut the network before every BN layer: the first piece has none, each other begins with one."""
    starts = [place for place, layer in enumerate(model) if isinstance(layer, _BatchNorm)]
    for start, end in zip([0, *starts], [*starts, len(model)], strict=True):
        yield model[start:end]


def _outcome(logits: Tensor, labels: Tensor, classes: int) -> Outcome:
    guesses = logits.argmax(1)
    losses = cross_entropy(logits, labels, reduction="none")
    counts = torch.bincount(guesses, minlength=classes)
    return Outcome(losses.cpu().double(), (guesses == labels).cpu(), tuple(counts.tolist()))
