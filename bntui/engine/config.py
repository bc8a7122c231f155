"""What a run is made of, and the limits of every number a user can set.

`RunConfig` is fixed for a run, `Knobs` may change while it trains. The `parse_*` functions are the
only judges of user input: the command line and the app show the same sentence. Imports no torch.
"""

import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bntui.store.text import literal

PUBLISHED = ("mnist", "fashion-mnist", "kmnist", "cifar10")
"""The data sets that torchvision downloads."""
BUILT_IN = ("digits", "photos")
"""The data sets in the package."""
DATASETS = (*BUILT_IN, *PUBLISHED)
MOMENTA = (0.0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
"""The constant momenta that every run keeps running statistics for."""

NORMS = ("none", "batch", "ghost", "renorm", "group", "layer")
"""What stands where the thread has BN. The last two and `none` have no running statistics."""
OWN_ESTIMATORS = ("momentum", "bias-corrected", "cumulative", "warm-up", "scaled")
"""How a run's own running statistics can be estimated (formulas: `estimators.Estimators`)."""
OPTIMIZERS = ("adam", "sgd")
LEARNING_RATE_RULES = ("none", "sqrt", "linear")
GHOST_UPDATES = ("each", "once")
MAX_LAYERS = 64

MAX_BATCH_SIZE = 65_536
MAX_LEARNING_RATE = 1e12
MAX_PACE = 1_000.0
MAX_EPOCHS = 100_000
MAX_STEPS = 1_000_000_000
MAX_SEED = 2**32 - 1
MIN_WIDTH, MAX_WIDTH = 1 / 32, 4.0
LONGEST_WORD = 300
"""Characters of a word in a message; a path has fewer."""
TORCH_LIKE_MOMENTUM = 0.1
"""Momenta up to this look like torch's convention (share of the *new* value), and are asked about."""


class ConfigError(ValueError):
    """A value the user gave is out of bounds; the message is one sentence fit for the screen.

    What is not printable in it, the user's too, is written as an escape, and endless words are cut.
    """

    def __init__(self, message: str) -> None:
        super().__init__(re.sub(rf"\S{{{LONGEST_WORD},}}", _shortened, literal(message)))


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
    estimator: str = "momentum"
    """How the run's own running statistics are estimated: one of `OWN_ESTIMATORS`."""
    learning_rate: float = 1e-3
    pace: float = math.inf
    """Updates a second at most."""


@dataclass(frozen=True, slots=True)
class Change:
    """One live change of a run, to be made after `update` updates."""

    update: int
    setting: str
    """A field of `Knobs`, or `recalibrate`."""
    value: float | str = 0.0


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What is fixed for one run. The defaults are those of `bntui run` on every machine."""

    dataset: str = "digits"
    """One of `DATASETS`, or the absolute path of a folder of images or of an `.npz`."""
    data_dir: str | None = None
    train_size: int | None = None
    norm: str = "batch"
    """One of `NORMS`."""
    norm_layers: int | None = None
    """Only the first so many normalisation layers are there; None for all."""
    ghost_batch: int = 32
    """Ghost BN: images that are normalised together."""
    ghost_updates: str = "each"
    """Ghost BN: one update of the running statistics for each of them, or `once` a batch."""
    depth: int = 0
    """Blocks of normalisation and convolution beyond the thread's."""
    width: float = 1.0
    optimizer: str = "adam"
    lr_rule: str = "none"
    """How the learning rate grows with batch size over `base_batch`: one of `LEARNING_RATE_RULES`."""
    lr_warmup: int = 0
    """Updates over which the learning rate rises to its value."""
    base_batch: int = 64
    """The batch size at which learning rate and momentum are meant as they are."""
    batch_schedule: str = ""
    """How the batch size grows: "x2/1" for a factor every so many epochs, "1:16,5:64" for points."""
    seed: int = 0
    device: str = "auto"
    amp: bool = False
    """Train with bfloat16 in convolutions and products; batch norm and evaluation stay float32."""
    compile: bool = False
    """Train with a network that torch has compiled for this machine."""
    threads: int | None = None
    epochs: int = 10
    steps: int | None = None
    """Stop after this many updates, or after the epochs, whichever comes first."""
    knobs: Knobs = field(default_factory=Knobs)
    at: tuple[Change, ...] = ()
    """Live changes to make on the way, in the order of their updates."""
    twin: str = ""
    """The one setting, as NAME=VALUE, in which a second run in lockstep differs; empty for none."""

    @property
    def has_statistics(self) -> bool:
        """Whether the network keeps running statistics, which alone can go stale."""
        return self.norm in {"batch", "ghost", "renorm"} and self.norm_layers != 0

    @property
    def has_hindsight(self) -> bool:
        """Whether one run tells of every momentum: not where the statistics feed into training."""
        return self.has_statistics and self.norm != "renorm"


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
    noise_scale: bool = False
    """If `live`, also measure the gradient noise scale while training, within the share of the time."""
    epoch_noise: bool = False
    """Measure the gradient noise scale at each epoch's end, whatever was measured before."""


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


def parse_base_batch(value: str) -> int:
    """Return the batch size that rate and momentum are meant for. Raises ConfigError."""
    return _integer("base batch", value, 1, MAX_BATCH_SIZE, "64")


def parse_ghost_batch(value: str) -> int:
    """Return the images that Ghost BN normalises together. Raises ConfigError."""
    return _integer("ghost batch", value, 1, MAX_BATCH_SIZE, "32")


def parse_norm_layers(value: str) -> int:
    """Return how many normalisation layers are kept. Raises ConfigError."""
    return _integer("norm layers", value, 0, MAX_LAYERS + 5, "5, the thread's")


def parse_depth(value: str) -> int:
    """Return the number of blocks beyond the thread's. Raises ConfigError."""
    return _integer("depth", value, 0, MAX_LAYERS, "11 for sixteen BN layers")


def parse_lr_warmup(value: str) -> int:
    """Return the updates over which the learning rate rises. Raises ConfigError."""
    return _integer("learning-rate warm-up", value, 0, MAX_STEPS, "16 updates")


def _chooser(name: str, choices: tuple[str, ...]) -> Callable[[str], str]:
    def parse(value: str) -> str:
        chosen = value.strip().lower()
        if chosen not in choices:
            raise ConfigError(f"{name} {value!r} is unknown: choose {_listed(choices)}.")
        return chosen

    return parse


def _listed(choices: tuple[str, ...]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


parse_norm = _chooser("norm", NORMS)
parse_estimator = _chooser("estimator", OWN_ESTIMATORS)
parse_optimizer = _chooser("optimizer", OPTIMIZERS)
parse_lr_rule = _chooser("learning-rate rule", LEARNING_RATE_RULES)
parse_ghost_updates = _chooser("ghost updates", GHOST_UPDATES)


def parse_batch_schedule(value: str) -> str:
    """Return the schedule in its shortest form: "x2/1", "1:16,5:64" or "". Raises ConfigError."""
    text = "".join(value.lower().split())
    try:
        if not text or text == "none":
            return ""
        if text.startswith("x"):
            factor, _, every = text[1:].partition("/")
            number = _number(factor)
            if not 1.0 < number <= MAX_BATCH_SIZE:
                raise ConfigError("no factor")
            return f"x{str(number).removesuffix('.0')}/{_integer('epochs', every or '1', 1, MAX_EPOCHS, '1')}"
        points = [point.split(":") for point in text.split(",")]
        if any(len(point) != 2 for point in points):
            raise ConfigError("no point")
        sizes = {
            _integer("epoch", epoch, 1, MAX_EPOCHS, "1"): parse_batch_size(size)
            for epoch, size in points
        }
        return ",".join(f"{epoch}:{sizes[epoch]}" for epoch in sorted(sizes))
    except ConfigError:
        raise ConfigError(
            f"batch schedule {value!r} is not understood: give a factor above 1 and every how many "
            f"epochs it acts, such as x2/1, or EPOCH:SIZE points such as 1:16,5:64 with sizes from "
            f"1 to {MAX_BATCH_SIZE:,}."
        ) from None


CHANGES: dict[str, tuple[str, Callable[[str], float | str]]] = {
    "batch": ("batch_size", parse_batch_size),
    "momentum": ("momentum", parse_momentum),
    "estimator": ("estimator", parse_estimator),
    "lr": ("learning_rate", parse_learning_rate),
    "pace": ("pace", parse_pace),
}
"""What `--at` can set: the name there, the field of `Knobs`, and its judge."""


STRUCTURE: dict[str, tuple[str, Callable[[str], float | str]]] = {
    "norm": ("norm", parse_norm),
    "norm-layers": ("norm_layers", parse_norm_layers),
    "depth": ("depth", parse_depth),
    "width": ("width", parse_width),
    "ghost-batch": ("ghost_batch", parse_ghost_batch),
    "ghost-updates": ("ghost_updates", parse_ghost_updates),
    "optimizer": ("optimizer", parse_optimizer),
    "batch-schedule": ("batch_schedule", parse_batch_schedule),
    "lr-rule": ("lr_rule", parse_lr_rule),
    "lr-warmup": ("lr_warmup", parse_lr_warmup),
    "base-batch": ("base_batch", parse_base_batch),
    "seed": ("seed", parse_seed),
}
"""What else `--twin` can set: the name there, the field of `RunConfig`, and its judge."""
TWIN_SETTINGS = {name: own for name, own in (CHANGES | STRUCTURE).items() if name != "pace"}
"""All that it can set: what changes a number."""


def option_of(field_name: str) -> str:
    """Return how `--at` and `--twin` call a field of `Knobs` or `RunConfig`."""
    return next(name for name, (own, _) in (CHANGES | STRUCTURE).items() if own == field_name)


def parse_twin(value: str) -> str:
    """Return the setting NAME=VALUE in its shortest form. Raises ConfigError."""
    name, equals, setting = value.strip().partition("=")
    if not equals or name not in TWIN_SETTINGS:
        raise ConfigError(
            f"twin {value!r} is not understood: give NAME=VALUE with a name of "
            f"{', '.join(TWIN_SETTINGS)}, such as momentum=0.9."
        )
    return f"{name}={TWIN_SETTINGS[name][1](setting)}"


def twin_field(twin: str) -> str:
    """Return the field of `Knobs` or `RunConfig` in which a twin differs."""
    return TWIN_SETTINGS[twin.partition("=")[0]][0]


def twin_of(config: RunConfig) -> RunConfig:
    """Return the configuration of the second run."""
    name, _, setting = config.twin.partition("=")
    field_name, parse = TWIN_SETTINGS[name]
    change: dict[str, Any] = {field_name: parse(setting)}
    # Nor does a planned change take the difference away.
    planned = tuple(one for one in config.at if one.setting != field_name)
    alone = replace(config, twin="", at=planned)
    if name in CHANGES:
        return replace(alone, knobs=replace(config.knobs, **change))
    return replace(alone, **change)


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
    """Return the data set's name, or the absolute path of the user's own. Raises ConfigError.

    A name goes before a file that is called the same: `./mnist` is the file.
    """
    name = value.strip().lower()
    if name in DATASETS:
        return name
    # os.path, because pathlib raises for names that are too long and users that are unknown.
    path = os.path.abspath(os.path.expanduser(value))  # noqa: PTH100, PTH111
    npz = value.lower().endswith(".npz")
    if not value.strip():
        fault = "is empty"
    elif os.path.isdir(path) or (npz and os.path.isfile(path)):  # noqa: PTH112, PTH113
        return path
    elif os.path.exists(path):  # noqa: PTH110
        fault = "is neither a folder nor an .npz"
    else:
        fault = "is not there" if npz or os.sep in value else "is unknown"
    raise ConfigError(
        f"data set {value!r} {fault}: choose {', '.join(DATASETS)}, or give the path of a folder "
        "with train/CLASS/ and test/CLASS/ full of images, or of an .npz with x_train, y_train, "
        "x_test and y_test."
    )


def parse_device(value: str) -> str:
    """Return the device's name, not yet whether this machine has it. Raises ConfigError."""
    name = value.strip().lower()
    kind, colon, index = name.partition(":")
    known = name in {"auto", "cpu", "mps"} or (
        kind == "cuda" and (not colon or re.fullmatch("[0-9]{1,4}", index) is not None)
    )
    if not known:
        raise ConfigError(f"device {value!r} is unknown: choose auto, cpu, cuda, cuda:N or mps.")
    return name


def _shortened(word: re.Match[str]) -> str:
    return f"{word[0][:60]}…{word[0][-60:]}"


def _number(value: str) -> float:
    """Return a number in plain ASCII digits; NaN for anything else, which is in no range.

    There is one zero: −0 would be shown, and repeated, as another setting.
    """
    try:
        return float(value) + 0.0 if value.isascii() and "_" not in value else math.nan
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
