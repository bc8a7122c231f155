"""Batch norm with one channel and eight values a batch: the mechanism, without a network.

A data set of `VALUES` images, half of them of a 0 and half of a 1, gives one channel as many values. As
the weights learn, the channel's mean and deviation move. After batch norm, whatever is above 0 is taken
for a 1: in training by the statistics of the batch, in validation by the running ones. Nothing is drawn
from a formula for accuracy: it is counted on validation values.

As in Keras, `running ← momentum · running + (1 − momentum) · batch's`, from a mean of 0 and a variance of
1, with the batch's biased variance (torch's momentum is 1 − this one, and its running variance takes the
unbiased variance, 8/7 of it here).
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

MOMENTA = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""The momenta that one can choose from."""
USUAL = 0.99
"""Keras's default."""
BATCH = 8
"""Values a batch."""
VALUES = 1000
"""Training values of the channel, and as many validation values."""
EPSILON = 1e-3
"""What Keras adds to a variance before it takes the root."""

_CLASS_MEAN = 0.9
_CLASS_DEVIATION = math.sqrt(1 - _CLASS_MEAN**2)
_FAST, _SLOW = 10.0, 300.0
"""Updates in which two thirds of the fast and of the slow learning are done."""

Values = npt.NDArray[np.float64]
Answers = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What batch norm normalises with."""

    mean: float
    variance: float

    @property
    def deviation(self) -> float:
        """Return the root of variance + ε."""
        return math.sqrt(self.variance + EPSILON)

    def normalised(self, value: float) -> float:
        """Return what batch norm makes of a value, before scale and shift."""
        return (value - self.mean) / self.deviation

    def moved(self, momentum: float, towards: "Statistics") -> "Statistics":
        """Return the running statistics after one update with a batch's."""
        new = 1 - momentum
        return Statistics(
            momentum * self.mean + new * towards.mean,
            momentum * self.variance + new * towards.variance,
        )


START = Statistics(0.0, 1.0)
"""The running statistics before the first update."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Eight values, which of them are of a 1, and their own statistics."""

    values: tuple[float, ...]
    ones: tuple[bool, ...]

    @property
    def statistics(self) -> Statistics:
        """Return mean and biased variance."""
        return Statistics(float(np.mean(self.values)), float(np.var(self.values)))


@dataclass(frozen=True, slots=True)
class Toy:
    """The channel and its running statistics after some updates."""

    seed: int = 0
    update: int = 0
    learned: float = 0.0
    """Updates in which the weights moved."""
    running: Statistics = START
    before: Statistics = START
    """The running statistics before the last update."""
    batch: Batch | None = None
    """The batch of the last update."""
    momentum: float = USUAL
    """That of the last update."""
    kept: tuple[tuple[float, int], ...] = ()
    """Momenta and for how many updates each, in turn, since the start or the last recalibration."""
    recalibrated: bool = False
    """Whether no start value is left because the statistics were recalibrated."""
    ladder: tuple[Statistics, ...] = (START,) * len(MOMENTA)
    """The running statistics, had momentum been each of `MOMENTA` from the first update on."""

    @property
    def fresh(self) -> Statistics:
        """Return the statistics of all training values, with the weights of now."""
        mean, deviation = channel(self.learned)
        return Statistics(mean, deviation**2)

    @property
    def start_left(self) -> float:
        """Return the share of the start value that is left in the running statistics."""
        left = math.prod(momentum**count for momentum, count in self.kept)
        return 0.0 if self.recalibrated else left


def channel(learned: float) -> tuple[float, float]:
    """Return the channel's mean and deviation, once the weights have moved for so many updates.

    From 0 and 1 they go fast to some 4 and 2.5, and then slowly on.
    """
    fast, slow = (1 - math.exp(-learned / scale) for scale in (_FAST, _SLOW))
    return 4.0 * fast + 0.6 * slow, 1.0 + 1.5 * fast + 0.2 * slow


def next_batch(toy: Toy) -> Batch:
    """Return the batch of the next update; the same for the same seed, update and weights."""
    drawn = np.random.default_rng((toy.seed, toy.update)).choice(VALUES, BATCH, replace=False)
    places, ones = _samples(toy.seed)[:2]
    values = _at(toy.learned, places[drawn])
    return Batch(tuple(values.tolist()), tuple(ones[drawn].tolist()))


def step(toy: Toy, momentum: float, *, pace: float = 1.0) -> Toy:
    """Return the state after one more update; then the weights move, `pace` times as far as usual."""
    batch = next_batch(toy)
    statistics = batch.statistics
    return replace(
        toy,
        update=toy.update + 1,
        learned=toy.learned + pace,
        running=toy.running.moved(momentum, statistics),
        before=toy.running,
        batch=batch,
        momentum=momentum,
        kept=_longer(toy.kept, momentum),
        ladder=tuple(
            row.moved(one, statistics) for row, one in zip(toy.ladder, MOMENTA, strict=True)
        ),
    )


def recalibrate(toy: Toy) -> Toy:
    """Return the state with fresh statistics for running ones."""
    return replace(toy, running=toy.fresh, before=toy.fresh, kept=(), recalibrated=True)


def example(toy: Toy) -> float:
    """Return the value that a certain validation image of a 0 has with the weights of now."""
    return float(_at(toy.learned, _samples(toy.seed)[2][:1])[0])


def share_right(toy: Toy, statistics: Statistics) -> float:
    """Return the accuracy on the validation values, normalised with `statistics`."""
    ones = _samples(toy.seed)[3]
    return float(np.mean(answers(toy, statistics) == ones))


def answers(toy: Toy, statistics: Statistics) -> Answers:
    """Return of each validation value whether it is taken for a 1, normalised with `statistics`."""
    values = _at(toy.learned, _samples(toy.seed)[2])
    return np.asarray((values - statistics.mean) / statistics.deviation > 0)


def _at(learned: float, places: Values) -> Values:
    mean, deviation = channel(learned)
    return np.asarray(mean + deviation * places)


def _longer(kept: tuple[tuple[float, int], ...], momentum: float) -> tuple[tuple[float, int], ...]:
    if kept and kept[-1][0] == momentum:
        return (*kept[:-1], (momentum, kept[-1][1] + 1))
    return (*kept, (momentum, 1))


@lru_cache(maxsize=8)
def _samples(seed: int) -> tuple[Values, Answers, Values, Answers]:
    """Return training places and which are of a 1, then validation's: deviations from the mean.

    The training places have mean 0 and variance 1, so that the channel's are those of `channel`. The
    first validation place is that of a 0 in the middle of its class.
    """
    draw = np.random.default_rng((seed, VALUES))
    ones = np.arange(VALUES) % 2 == 1
    middles = np.where(ones, _CLASS_MEAN, -_CLASS_MEAN)
    training, validation = middles + _CLASS_DEVIATION * draw.standard_normal((2, VALUES))
    training = (training - training.mean()) / training.std()
    validation[0] = -_CLASS_MEAN
    for array in (ones, training, validation):
        array.flags.writeable = False
    return training, ones, validation, ones
