"""Loss and accuracy of a network in eval mode, under one or many rows of statistics."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bntui.core.measured import Difference, Score
from bntui.measure.subject import Samples, Scoring, Subject
from bntui.measure.unchanged import unchanged

IMAGES_PER_PASS = 250
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
    subject: Subject,
    rows: Sequence[Tensor],
    samples: Samples,
    check_stop: Callable[[], None] = lambda: None,
) -> list[Outcome]:
    """Evaluate on all of `samples` under each of `rows` (2, C); changes nothing.

    Exactly what evaluating under one after the other gives, for less: rows that agree in the layers of
    the first stages share what is computed up to the next one, and equal rows share everything.
    `check_stop` is called before each stage: it may wait (a pause) or raise (a stop).
    """
    layers, stages = subject.layers, subject.stages()
    parts = [layers.parts(row) for row in rows]
    keys = [[part.numpy().tobytes() for part in layers.parts(row.cpu())] for row in rows]
    found: list[list[Tensor]] = [[] for _ in rows]

    def go_on(depth: int, batch: Tensor, members: Sequence[int]) -> None:
        """Take `batch` through stage `depth` and on, under the rows `members`."""
        if depth == len(stages):
            for member in members:
                found[member].append(batch)
            return
        stage = stages[depth]
        alike: dict[tuple[bytes, ...], list[int]] = {}
        for member in members:
            key = tuple(keys[member][place] for place in stage.layers)
            alike.setdefault(key, []).append(member)
        for group in alike.values():
            check_stop()
            layers.put(stage.layers, parts[group[0]])
            go_on(depth + 1, stage.run(batch), group)

    with torch.no_grad(), unchanged(subject.network):
        subject.network.eval()
        for batch in samples.batches(IMAGES_PER_PASS):
            go_on(0, batch.inputs, range(len(rows)))
    return [_outcome(torch.cat(outputs), samples.targets, subject.scoring) for outputs in found]


def _outcome(outputs: Tensor, targets: Tensor, scoring: Scoring) -> Outcome:
    guesses = scoring.guesses(outputs)
    losses = scoring.losses(outputs, targets)
    counts = torch.bincount(guesses, minlength=scoring.classes)
    return Outcome(losses.cpu().double(), (guesses == targets).cpu(), tuple(counts.tolist()))
