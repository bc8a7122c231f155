"""What was seeded, and the cause that the verdict has to name for it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bntui.core.config import Change, RunConfig
from bntui.diagnose.causes import Cause
from tests.diagnose.causes.runs import (
    Alter,
    blurred,
    dimmed,
    few,
    inverted,
    mislabelled,
    moved,
    noisy,
    of_classes,
    small,
    trained_on,
    turned,
)


@dataclass(frozen=True)
class Case:
    name: str
    config: RunConfig
    updates: int
    cause: Cause
    alter: Alter = lambda dataset: dataset


def start_values() -> Iterator[Case]:
    """At 0.99 a third to nine tenths of the start values are left, and weights move slowly."""
    for seed in range(6):
        updates = 40 + 10 * seed
        yield Case(f"0.99, {updates} updates", small(seed=seed), updates, Cause.START)
    for batch, seed in ((32, 1), (128, 2), (256, 3)):
        config = small(seed=seed, knobs={"batch_size": batch})
        yield Case(f"0.99, batch {batch}", config, 60, Cause.START)
    config = small(seed=4, knobs={"momentum": 0.995})
    yield Case("0.995", config, 90, Cause.START)
    config = small(seed=5, optimizer="sgd", knobs={"learning_rate": 0.005})
    yield Case("0.99 under SGD", config, 80, Cause.START)


def lag() -> Iterator[Case]:
    """Nothing of the start values is left, and a rate fifty times as high moves the weights."""
    faster = Change(100, "learning_rate", 0.05)
    for seed in range(4):
        config = small(Change(100, "recalibrate"), faster, seed=seed)
        yield Case(f"recalibrated, then the rate ×50, seed {seed}", config, 110, Cause.LAG)
    for estimator in ("bias-corrected", "cumulative"):
        for seed in range(3):
            config = small(faster, seed=seed, knobs={"estimator": estimator})
            yield Case(f"{estimator}, then the rate ×50, seed {seed}", config, 110, Cause.LAG)


def convention() -> Iterator[Case]:
    """Torch's 0.01 or 0.1 typed where Keras's is meant, and batches so small that it matters."""
    for momentum, batch, updates, seed in (
        (0.1, 3, 400, 0),
        (0.1, 2, 400, 1),
        (0.05, 3, 400, 2),
        (0.1, 3, 500, 3),
        (0.05, 2, 400, 4),
    ):
        config = small(seed=seed, knobs={"momentum": momentum, "batch_size": batch})
        yield Case(
            f"momentum {momentum}, batch {batch}, seed {seed}", config, updates, Cause.CONVENTION
        )


def one_value() -> Iterator[Case]:
    yield Case("batches of 1", small(knobs={"batch_size": 1}), 30, Cause.ONE_VALUE)
    yield Case("ghost batches of 1", small(norm="ghost", ghost_batch=1), 10, Cause.ONE_VALUE)


def non_finite() -> Iterator[Case]:
    for rate, optimizer in ((1e30, "sgd"), (1e38, "adam")):
        config = small(optimizer=optimizer, knobs={"learning_rate": rate})
        yield Case(f"rate {rate:g}, {optimizer}", config, 6, Cause.NON_FINITE)


def other_images() -> Iterator[Case]:
    sound = small(knobs={"momentum": 0.9})
    for name, alter in {
        "dimmed to 30 %": dimmed(0.3),
        "dimmed to 20 %": dimmed(0.2),
        "moved by 6": moved(6),
        "moved by 4": moved(4),
        "noise of 1": noisy(1.0),
        "noise of 0.7": noisy(0.7),
        "blurred by 5": blurred(5),
        "turned": turned(),
        "inverted": inverted(),
    }.items():
        for seed in (0, 1):
            yield Case(f"{name}, seed {seed}", replace(sound, seed=seed), 120, Cause.SHIFT, alter)


def other_classes() -> Iterator[Case]:
    for seed, most in enumerate((0, 1, 7)):
        counts = {label: 400 if label == most else 3 for label in range(10)}
        config = small(seed=seed, train_size=None, knobs={"momentum": 0.9})
        yield Case(f"400 of {most}, 3 of each other", config, 70, Cause.CLASSES, trained_on(counts))


def overfitted() -> Iterator[Case]:
    for seed, size in enumerate((60, 100, 150, 100)):
        config = small(seed=seed, train_size=size, knobs={"momentum": 0.9, "batch_size": 32})
        yield Case(f"{size} training images, seed {seed}", config, 120, Cause.OVERFITTING)
    for seed in (0, 1):
        config = small(seed=seed, train_size=300, knobs={"momentum": 0.9})
        yield Case(
            f"a third mislabelled, seed {seed}", config, 300, Cause.OVERFITTING, mislabelled(0.35)
        )


def not_learned() -> Iterator[Case]:
    for seed in range(3):
        config = small(seed=seed, knobs={"momentum": 0.9, "learning_rate": 1e-7})
        yield Case(f"a rate of 1e-7, seed {seed}", config, 60, Cause.LEARNING)


def without_batch_norm() -> Iterator[Case]:
    for norm in ("none", "group", "layer"):
        yield Case(norm, small(norm=norm, train_size=4000), 120, Cause.NO_BATCH_NORM)


def sound() -> Iterator[Case]:
    for seed in range(3):
        config = small(seed=seed, train_size=2000, knobs={"momentum": 0.9})
        yield Case(f"0.9, seed {seed}", config, 150, Cause.SOUND)
    config = small(train_size=2000, knobs={"estimator": "bias-corrected"})
    yield Case("bias-corrected", config, 200, Cause.SOUND)
    config = small(Change(200, "recalibrate"), train_size=2000)
    yield Case("recalibrated at the end", config, 200, Cause.SOUND)


def too_few_images() -> Iterator[Case]:
    """At 0.98 validation suffers a little: of a thousand images it would show."""
    for seed, count in enumerate((10, 15, 20, 8)):
        config = small(seed=seed, train_size=2000, knobs={"momentum": 0.98})
        yield Case(f"{count} images, seed {seed}", config, 165, Cause.UNDECIDED, few(count))


def elsewhere() -> Iterator[Case]:
    """Statistics so stale that the network says 1 to everything, validated on ones alone."""
    for seed, updates in ((0, 70), (1, 100), (2, 120), (3, 70)):
        yield Case(f"ones, seed {seed}", small(seed=seed), updates, Cause.ELSEWHERE, of_classes(1))


CASES = [
    case
    for kind in (
        start_values,
        lag,
        convention,
        one_value,
        non_finite,
        other_images,
        other_classes,
        overfitted,
        not_learned,
        without_batch_norm,
        sound,
        too_few_images,
        elsewhere,
    )
    for case in kind()
]
