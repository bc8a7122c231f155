"""What a model's outputs are worth, sample by sample, so that two evaluations can be compared in pairs."""

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from bntui.core.measured import Difference
from bntui.probe.batches import size, targets
from bntui.probe.errors import ProbeError
from bntui.probe.labels import are_probabilities, class_labels, has_classes
from bntui.probe.report import Evaluation

Metric = Callable[[Any, Any], Tensor]
LEAST = 1e-7
"""The least probability that is told from 0."""
WORST_LOSS = 100.0
"""What a sample's loss counts as at most where two evaluations are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One evaluation, sample by sample, on the CPU."""

    scores: Tensor
    """float64 (N,); higher is better."""
    losses: Tensor | None
    """float64 (N,): cross-entropy, infinite where outputs are not finite; None without class labels."""
    guesses: Tensor | None
    """(N, …), the predicted classes; None where outputs are no classes."""
    scale: float | None = None
    """What differences of scores are measured in; None for their own mean."""

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.scores)

    @property
    def score(self) -> float:
        """The mean score."""
        return float(self.scores.mean())

    @property
    def loss(self) -> float:
        """The mean loss; NaN where there is none."""
        return math.nan if self.losses is None else float(self.losses.mean())

    @property
    def evaluation(self) -> Evaluation:
        """The averages."""
        return Evaluation(self.score, None if self.losses is None else self.loss, len(self))

    def ordered(self, places: list[int]) -> "Scored":
        """Return the samples at `places`, in this order."""
        losses = None if self.losses is None else self.losses[places]
        guesses = None if self.guesses is None else self.guesses[places]
        return Scored(self.scores[places], losses, guesses, self.scale)

    def first(self, count: int) -> "Scored":
        """Return the first samples."""
        losses = None if self.losses is None else self.losses[:count]
        guesses = None if self.guesses is None else self.guesses[:count]
        return Scored(self.scores[:count], losses, guesses, self.scale)

    def less(self, other: "Scored") -> Difference:
        """Return this evaluation less `other`, of the same samples (errors: of paired differences).

        Scores within 0 and 1 are compared as accuracies are, in McNemar's way where each is right or
        wrong. Others have no natural size: they take the place of a loss, in shares of `other`'s mean.
        """
        number, both = len(self), _finite(torch.cat([self.scores, other.scores]))
        gained, theirs = both[:number] - both[number:], both[number:]
        if self.scale is None and float(both.min()) >= 0.0 and float(both.max()) <= 1.0:
            moved = int((gained != 0.0).sum())
            error = _error(gained)
            if bool(((both == 0.0) | (both == 1.0)).all()):
                error = math.sqrt(max(1, moved)) / number
            loss, loss_error, of_loss = 0.0, math.inf, 0.0
            if self.losses is not None and other.losses is not None:
                lost, of = (one.clamp(max=WORST_LOSS) for one in (self.losses, other.losses))
                loss, loss_error = float((lost - of).mean()), _error(lost - of)
                of_loss = float(of.mean())
            return Difference(float(gained.mean()), error, loss, loss_error, number, of_loss)
        scale = self.scale or max(abs(float(theirs.mean())), _deviation(theirs), 1e-12)
        return Difference(
            0.0, math.inf, -float(gained.mean()) / scale, _error(gained) / scale, number, 1.0
        )

    def flipped(self, other: "Scored") -> float | None:
        """Return the share of predictions that differ from `other`'s; None where there are none."""
        if self.guesses is None or other.guesses is None:
            return None
        return float((self.guesses != other.guesses).double().mean())


class Scorer(Protocol):
    """Scores the outputs of a batch."""

    name: str
    """What the score is called."""

    def __call__(self, outputs: Any, batch: Any) -> Scored:
        """Return the scores of a batch's outputs."""
        ...


class Classes:
    """Class labels: (N,) or, of every pixel, (N, …); outputs are logits (N, classes, …), or one a sample.

    Labels below 0 and from the number of classes on are left out, as −100 and 255 in many data sets, and
    samples that have no others. `probabilities` are what outputs are in place of logits.
    """

    name = "accuracy"

    def __init__(self, *, probabilities: bool = False) -> None:
        self._probabilities = probabilities

    def __call__(self, outputs: Tensor, batch: Any) -> Scored:
        """Return accuracy and cross-entropy of each sample."""
        found = class_labels(outputs, batch)
        if found is None:
            raise ProbeError(
                f"The targets of a batch of {size(batch)} are no class labels of its outputs, "
                f"{tuple(outputs.shape)}, as those of the first one are: give metric=, or like batches."
            )
        labels = found.to(outputs.device).long()
        outputs = outputs.float()
        number, single = len(labels), outputs.numel() == labels.numel()
        if self._probabilities:
            outputs = outputs.logit(LEAST) if single else outputs.clamp(min=LEAST).log()
        if single:
            outputs, labels = outputs.reshape(number, -1), labels.reshape(number, -1)
            guesses = (outputs > 0.0).long()
            losses = binary_cross_entropy_with_logits(outputs, labels.float(), reduction="none")
            counted = torch.ones_like(labels, dtype=torch.bool)
        else:
            counted = (labels >= 0) & (labels < outputs.shape[1])
            guesses = torch.where(outputs.isfinite().all(1), outputs.argmax(1), -1)
            losses = cross_entropy(outputs, labels.where(counted, 0), reduction="none")
        share = counted.reshape(number, -1).cpu().double()
        share = share / share.sum(1, keepdim=True).clamp_min(1.0)
        right = (guesses == labels).reshape(number, -1).cpu().double()
        lost = losses.cpu().double().nan_to_num(math.inf, math.inf).reshape(number, -1)
        lost = lost.where(share > 0.0, 0.0)
        known = share.sum(1) > 0.0
        scores, losses = (right * share).sum(1)[known], (lost * share).sum(1)[known]
        return Scored(scores, losses, guesses.cpu()[known])


class Given:
    """The user's own metric: `metric(outputs, targets)`, or `metric(outputs, batch)` by that name."""

    def __init__(self, metric: Metric) -> None:
        self.name = "score"
        self._metric = metric
        self.finite, self.not_finite = 0, 0
        """Of all the numbers that it gave."""
        try:
            names = list(inspect.signature(metric).parameters)
        except (TypeError, ValueError):  # written in C
            names = []
        self._whole = len(names) > 1 and names[1] == "batch"

    def __call__(self, outputs: Any, batch: Any) -> Scored:
        """Return the metric of each sample. Raises ProbeError for one of another shape."""
        found = self._metric(outputs, batch if self._whole else targets(batch))
        number = size(batch)
        if not isinstance(found, Tensor) or found.shape != (number,):
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise ProbeError(
                f"metric gave {shape} for a batch of {number} samples: it must give a tensor with one "
                f"number a sample, ({number},)."
            )
        scores = found.detach().cpu().double()
        finite = int(scores.isfinite().sum())
        self.finite, self.not_finite = self.finite + finite, self.not_finite + number - finite
        return Scored(scores.nan_to_num(-math.inf, math.inf, -math.inf), None, None)


def judged_metric(scorer: "Scorer", *, numbers: bool) -> list[str]:
    """Return what is to be said of a metric that gave no finite number for some samples.

    Raises ProbeError where it gave none at all, though outputs are `numbers`.
    """
    if not isinstance(scorer, Given) or not scorer.not_finite:
        return []
    if numbers and not scorer.finite:
        raise ProbeError(
            "metric gave NaN or inf for every sample: give one that has a finite number for each."
        )
    return ["For some samples metric gave NaN or inf; NaN counts as less than any number."]


class Alike:
    """Without labels: how far outputs are from those under fresh statistics.

    Of several numbers a sample, (N, C), it is whether the largest is the same one; else minus the
    difference as a share of the outputs' size.
    """

    def __init__(self, *, several: bool = False) -> None:
        self.several = several
        self.name = "minus the difference from outputs under fresh statistics"
        if several:
            self.name = "agreement with predictions under fresh statistics"
        self._reference: list[Tensor] | None = None
        self._place = 0

    def begin(self, reference: list[Tensor]) -> None:
        """Compare what comes with the outputs `reference`, batch by batch."""
        self._reference, self._place = reference, 0

    def __call__(self, outputs: Tensor, batch: Any) -> Scored:
        """Return the score of each sample."""
        assert self._reference is not None
        wanted = self._reference[self._place].double()
        self._place += 1
        number = len(outputs)
        if self.several:
            guesses = torch.where(outputs.isfinite().all(1), outputs.argmax(1), -1).cpu()
            return Scored((guesses == wanted.argmax(1)).double(), None, guesses)
        off = (outputs.cpu().double() - wanted).reshape(number, -1).norm(dim=1)
        scores = -(off / wanted.reshape(number, -1).norm(dim=1).mean().clamp_min(1e-12))
        return Scored(scores.nan_to_num(-WORST_LOSS, -WORST_LOSS, -WORST_LOSS), None, None, 1.0)


def scorer_of(outputs: Tensor, batch: Any) -> tuple[Scorer, list[str]]:
    """Return what scores such outputs without a metric, and what is to be said of it.

    By class labels where the batch has them, else by outputs under fresh statistics.
    """
    if has_classes(outputs, batch):
        if are_probabilities(outputs, batch):
            said = ["Outputs are between 0 and 1, and taken for probabilities."]
            return Classes(probabilities=True), said
        return Classes(), []
    wanted = targets(batch)
    regression = isinstance(wanted, Tensor) and wanted.shape == outputs.shape
    scorer = Alike(several=outputs.dim() == 2 and outputs.shape[1] > 1 and not regression)
    why = "The targets are no class labels and no metric was given"
    return scorer, [f"{why}: scores are {scorer.name}."]


def joined(parts: Sequence[Scored]) -> Scored:
    """Return evaluations of several batches as one."""
    losses = [one.losses for one in parts if one.losses is not None]
    guesses = [one.guesses for one in parts if one.guesses is not None]
    alike = len({one.shape[1:] for one in guesses}) == 1
    return Scored(
        torch.cat([one.scores for one in parts]),
        torch.cat(losses) if losses else None,
        torch.cat(guesses) if alike else None,
        parts[0].scale,
    )


def _finite(scores: Tensor) -> Tensor:
    """Return scores with numbers in place of infinite ones: 0 or far below the least, and the largest."""
    finite = scores[scores.isfinite()]
    if len(finite) == len(scores) or not len(finite):
        return scores.nan_to_num(0.0, 0.0, 0.0)
    low, high = float(finite.min()), float(finite.max())
    worst = 0.0 if low >= 0.0 and high <= 1.0 else low - max(high - low, abs(low))
    return scores.nan_to_num(worst, high, worst)


def _deviation(values: Tensor) -> float:
    return float(values.std()) if len(values) > 1 else 0.0


def _error(differences: Tensor) -> float:
    if len(differences) < 2:
        return math.inf
    return float(differences.std()) / math.sqrt(len(differences))
