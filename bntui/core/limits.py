"""The limits of every setting, and the sentences that tell a user of them.

The `parse_*` functions are the only judges of user input: the command line and the app show the same
sentence. Those of one setting by its name are in `changes.py`. Imports no torch.
"""

import math
import os
import re
from collections.abc import Callable
from pathlib import Path

from bntui.core.config import (
    DATASETS,
    GHOST_UPDATES,
    LEARNING_RATE_RULES,
    MAX_THREADS,
    NORMS,
    OPTIMIZERS,
    OWN_ESTIMATORS,
)
from bntui.core.file_kinds import known_at
from bntui.core.text import ConfigError

MAX_LAYERS = 64
MAX_BATCH_SIZE = 65_536
MAX_LEARNING_RATE = 1e12
MAX_PACE = 1_000.0
MAX_EPOCHS = 100_000
MAX_STEPS = 1_000_000_000
MAX_SEED = 2**32 - 1
MIN_WIDTH, MAX_WIDTH = 1 / 32, 4.0


def parse_batch_size(value: str) -> int:
    """Return the batch size in images. Raises ConfigError."""
    return _integer("batch size", value, 1, MAX_BATCH_SIZE, "64 or 4096")


def parse_momentum(value: str) -> float:
    """Return the momentum in Keras's convention. Raises ConfigError."""
    way_out = (
        "give 0 or more and less than 1, the share of the old value kept, such as 0.99 (torch calls "
        "this 0.01)"
    )
    return _number("momentum", value, lambda number: 0.0 <= number < 1.0, way_out)


def parse_learning_rate(value: str) -> float:
    """Return the learning rate. Raises ConfigError."""
    way_out = f"give more than 0 and at most {MAX_LEARNING_RATE:g}, such as 0.001"
    return _number(
        "learning rate", value, lambda number: 0.0 < number <= MAX_LEARNING_RATE, way_out
    )


def parse_pace(value: str) -> float:
    """Return the pace in updates a second, infinity for `max`. Raises ConfigError."""
    if value.strip().lower() in {"max", "unlimited"}:
        return math.inf
    way_out = f"give more than 0 and at most {MAX_PACE:g} updates a second, or max"
    return _number("pace", value, lambda number: 0.0 < number <= MAX_PACE, way_out)


def parse_epochs(value: str) -> int:
    """Return the number of epochs. Raises ConfigError."""
    return _integer("epochs", value, 1, MAX_EPOCHS, "10, as in the thread")


def parse_steps(value: str) -> int:
    """Return the number of updates. Raises ConfigError."""
    return _integer("steps", value, 1, MAX_STEPS, "160")


def parse_update(value: str) -> int:
    """Return after how many updates something is done. Raises ConfigError."""
    return _integer("update", value, 0, MAX_STEPS, "97")


def parse_train_size(value: str) -> int:
    """Return the number of training images. Raises ConfigError."""
    return _integer("train size", value, 1, 10_000_000, "4000")


def parse_threads(value: str) -> int:
    """Return the number of CPU threads. Raises ConfigError."""
    return _integer("threads", value, 1, MAX_THREADS, "the number of cores")


def parse_seed(value: str) -> int:
    """Return the seed. Raises ConfigError."""
    return _integer("seed", value, 0, MAX_SEED, "0")


def parse_width(value: str) -> float:
    """Return the width factor. Raises ConfigError."""
    way_out = f"give {MIN_WIDTH:g} to {MAX_WIDTH:g}; 1 is the thread's network, 0.25 the quick one"
    return _number("width", value, lambda number: MIN_WIDTH <= number <= MAX_WIDTH, way_out)


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
            number = _number("factor", factor, lambda one: 1.0 < one <= MAX_BATCH_SIZE, "")
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


def parse_dataset(value: str) -> str:
    """Return the data set's name, or the absolute path of the user's own. Raises ConfigError.

    `mnist` is the data set, also where a file has that name: `./mnist` is the file.
    """
    name = value.strip().lower()
    if name in DATASETS:
        return name
    # os.path, because pathlib raises for names that are too long and users that are unknown.
    path = _absolute(value)
    npz = value.lower().endswith(".npz")
    if not value.strip():
        fault = "is empty"
    elif os.path.isdir(path) or (npz and os.path.isfile(path)):  # noqa: PTH112, PTH113
        return path
    elif os.path.exists(path):  # noqa: PTH110
        what = known_at(Path(path))
        fault = f"is neither a folder nor an .npz{f' ({what})' if what else ''}"
    else:
        fault = "is not there" if npz or os.sep in value else "is unknown"
    raise ConfigError(
        f"data set {value!r} {fault}: choose {', '.join(DATASETS)}, or give the path of a folder "
        "with train/CLASS/ and test/CLASS/ full of images, or of an .npz with x_train, y_train, "
        "x_test and y_test."
    )


def parse_data_dir(value: str) -> str:
    """Return the path of a folder that means the same from every other. Raises ConfigError for NUL."""
    if "\0" in value:
        raise ConfigError(f"no folder can be called {value}: leave out the NUL.")
    return _absolute(value)


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


def _number(name: str, value: str, allowed: Callable[[float], bool], way_out: str) -> float:
    """Return a number in plain ASCII digits that is allowed. Raises ConfigError with the way out.

    There is one zero: −0 would be shown, and repeated, as another setting.
    """
    try:
        number = float(value) + 0.0 if value.isascii() and "_" not in value else math.nan
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise ConfigError(f"{name} {value!r} is not a number: {way_out}.")
    if not allowed(number):
        raise ConfigError(f"{name} {value} is out of range: {way_out}.")
    return number


def _integer(name: str, value: str, low: int, high: int, example: str) -> int:
    way_out = f"give a whole number from {low:,} to {high:,}, such as {example}"
    number = _number(name, value, lambda one: low <= one <= high, way_out)
    if not number.is_integer():
        raise ConfigError(f"{name} {value} is not a whole number: {way_out}.")
    return int(number)


def _absolute(path: str) -> str:
    """Return a path that means the same from every folder; as it is if the current one was removed."""
    expanded = os.path.expanduser(path)  # noqa: PTH111 - Path's raises for an unknown user
    try:
        return os.path.abspath(expanded)  # noqa: PTH100
    except OSError:
        return expanded
