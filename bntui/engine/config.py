"""What a run is made of, and the limits of every number a user can set.

`RunConfig` is fixed for a run, `Knobs` may change while it trains. The `parse_*` functions are the
only judges of user input: the command line and the app show the same sentence. Imports no torch.
"""

import math
from dataclasses import dataclass, field

DATASETS = ("digits", "mnist")
MOMENTA = (0.0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
"""The constant momenta that every run keeps running statistics for."""

MAX_BATCH_SIZE = 65_536
MAX_LEARNING_RATE = 1e12
MAX_PACE = 1_000.0
MAX_EPOCHS = 100_000
MAX_STEPS = 1_000_000_000
MAX_SEED = 2**32 - 1
MIN_WIDTH, MAX_WIDTH = 1 / 32, 4.0
TORCH_LIKE_MOMENTUM = 0.1
"""Momenta up to this look like torch's convention (share of the *new* value), and are asked about."""


class ConfigError(ValueError):
    """A value the user gave is out of bounds; the message is one sentence fit for the screen."""


def torch_momentum(momentum: float) -> float:
    """Convert Keras's momentum (share of the old value kept) to torch's, or back: 1 − m.

    The only place where the two conventions meet. Rounded so that 0.99 ↔ 0.01 exactly.
    """
    return round(1.0 - momentum, 12)


def looks_like_torch(momentum: float) -> bool:
    """Tell whether a momentum is more likely meant in torch's convention (0.01 for 0.99)."""
    return 0.0 < momentum <= TORCH_LIKE_MOMENTUM


@dataclass(frozen=True, slots=True)
class Knobs:
    """What may change at any update."""

    batch_size: int = 256
    momentum: float = 0.99
    """Keras's convention: the share of the old running value kept at an update."""
    learning_rate: float = 1e-3
    pace: float = math.inf
    """Updates a second at most."""


@dataclass(frozen=True, slots=True)
class Change:
    """One live change of a run, to be made after `update` updates."""

    update: int
    setting: str
    """A field of `Knobs`, or `recalibrate`."""
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What is fixed for one run. The defaults are those of `bntui run` on every machine."""

    dataset: str = "digits"
    data_dir: str | None = None
    train_size: int | None = None
    batch_norm: bool = True
    width: float = 1.0
    seed: int = 0
    device: str = "auto"
    threads: int | None = None
    epochs: int = 10
    steps: int | None = None
    """Stop after this many updates, or after the epochs, whichever comes first."""
    knobs: Knobs = field(default_factory=Knobs)
    at: tuple[Change, ...] = ()
    """Live changes to make on the way, in the order of their updates."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What is measured beside training. None of it changes a bit of the weights."""

    live: bool = True
    """Validate on fixed subsets while training, under own, fresh and all estimators' statistics,
    within a share of the time."""
    epoch_ends: bool = True
    """Validate on the whole validation set at each epoch's end."""
    epoch_fresh: bool = True
    """Also with fresh statistics at each epoch's end, and the drift of every layer."""
    hindsight: bool = False
    """Also under every estimator row at each epoch's end."""


def parse_batch_size(value: str) -> int:
    """Return the batch size in images. Raises ConfigError."""
    return _integer("batch size", value, 1, MAX_BATCH_SIZE, "64 or 4096")


def parse_momentum(value: str) -> float:
    """Return the momentum in Keras's convention. Raises ConfigError."""
    number = _number(value)
    if not 0.0 <= number < 1.0:
        raise ConfigError(
            f"momentum {value} is out of range: give 0 or more and less than 1, the share of the "
            "old value kept, such as 0.99 (torch calls this 0.01)."
        )
    return number


def parse_learning_rate(value: str) -> float:
    """Return the learning rate. Raises ConfigError."""
    number = _number(value)
    if not 0.0 < number <= MAX_LEARNING_RATE:
        raise ConfigError(
            f"learning rate {value} is out of range: give more than 0 and at most "
            f"{MAX_LEARNING_RATE:g}, such as 0.001."
        )
    return number


def parse_pace(value: str) -> float:
    """Return the pace in updates a second, infinity for `max`. Raises ConfigError."""
    if value.strip().lower() in {"max", "unlimited"}:
        return math.inf
    number = _number(value)
    if not 0.0 < number <= MAX_PACE:
        raise ConfigError(
            f"pace {value} is out of range: give more than 0 and at most {MAX_PACE:g} updates a "
            "second, or max."
        )
    return number


def parse_epochs(value: str) -> int:
    """Return the number of epochs. Raises ConfigError."""
    return _integer("epochs", value, 1, MAX_EPOCHS, "10, as in the thread")


def parse_steps(value: str) -> int:
    """Return the number of updates. Raises ConfigError."""
    return _integer("steps", value, 1, MAX_STEPS, "160")


def parse_train_size(value: str) -> int:
    """Return the number of training images. Raises ConfigError."""
    return _integer("train size", value, 1, 10_000_000, "4000")


def parse_threads(value: str) -> int:
    """Return the number of CPU threads. Raises ConfigError."""
    return _integer("threads", value, 1, 1024, "the number of cores")


def parse_seed(value: str) -> int:
    """Return the seed. Raises ConfigError."""
    return _integer("seed", value, 0, MAX_SEED, "0")


def parse_width(value: str) -> float:
    """Return the width factor. Raises ConfigError."""
    number = _number(value)
    if not MIN_WIDTH <= number <= MAX_WIDTH:
        raise ConfigError(
            f"width {value} is out of range: give {MIN_WIDTH:g} to {MAX_WIDTH:g}; 1 is the "
            "thread's network, 0.25 the quick one."
        )
    return number


CHANGES = {
    "batch": ("batch_size", parse_batch_size),
    "momentum": ("momentum", parse_momentum),
    "lr": ("learning_rate", parse_learning_rate),
    "pace": ("pace", parse_pace),
}
"""What `--at` can set: the name there, the field of `Knobs`, and its judge."""


def parse_change(value: str) -> Change:
    """Return the change that `UPDATE:NAME=VALUE` or `UPDATE:recalibrate` describes.

    Raises ConfigError.
    """
    update, _, what = value.partition(":")
    name, equals, setting = what.partition("=")
    if what == "recalibrate":
        return Change(_integer("update", update, 0, MAX_STEPS, "97"), "recalibrate")
    if not equals or name not in CHANGES:
        raise ConfigError(
            f"change {value!r} is not understood: give UPDATE:NAME=VALUE with a name of "
            f"{', '.join(CHANGES)}, or UPDATE:recalibrate, such as 97:momentum=0.9."
        )
    knob, parse = CHANGES[name]
    return Change(_integer("update", update, 0, MAX_STEPS, "97"), knob, parse(setting))


def parse_dataset(value: str) -> str:
    """Return the data set's name. Raises ConfigError."""
    name = value.strip().lower()
    if name not in DATASETS:
        raise ConfigError(f"data set {value!r} is unknown: choose {' or '.join(DATASETS)}.")
    return name


def parse_device(value: str) -> str:
    """Return the device's name, not yet whether this machine has it. Raises ConfigError."""
    name = value.strip().lower()
    kind, colon, index = name.partition(":")
    known = name in {"auto", "cpu", "mps"} or (
        kind == "cuda" and (not colon or (index.isascii() and index.isdigit()))
    )
    if not known:
        raise ConfigError(f"device {value!r} is unknown: choose auto, cpu, cuda, cuda:N or mps.")
    return name


def _number(value: str) -> float:
    """Return a number in plain ASCII digits; NaN for anything else, which is in no range."""
    try:
        return float(value) if value.isascii() and "_" not in value else math.nan
    except ValueError:
        return math.nan


def _integer(name: str, value: str, low: int, high: int, example: str) -> int:
    number = _number(value)
    if not number.is_integer() or not low <= number <= high:
        raise ConfigError(
            f"{name} {value} is out of range: give a whole number from {low:,} to {high:,}, "
            f"such as {example}."
        )
    return int(number)
