"""What every setting can be, and the sentences that tell a user of it.

A parser takes what is typed, and raises ConfigError with one sentence: the command line, an
experiment's file and the app show the same. Which setting has which is in `config.py`.
"""

import math
import os
import re
from collections.abc import Callable
from pathlib import Path

from bntui.core.file_kinds import known_at
from bntui.core.text import ConfigError

PUBLISHED = ("mnist", "fashion-mnist", "kmnist", "cifar10")
"""The data sets that torchvision downloads."""
BUILT_IN = ("digits", "photos")
"""The data sets in the package."""
DATASETS = (*BUILT_IN, *PUBLISHED)
MAX_LAYERS = 64
MAX_BATCH_SIZE = 65_536
MAX_LEARNING_RATE = 1e12
MAX_PACE = 1_000.0
MAX_EPOCHS = 100_000
MAX_STEPS = 1_000_000_000
MAX_SEED = 2**32 - 1
MAX_THREADS = 1024
MIN_WIDTH, MAX_WIDTH = 1 / 32, 4.0


# No dataclasses: each would take a millisecond to make, which `bntui --version` waits for.


class Whole:
    """Parses whole numbers from `low` to `high`; `example` follows "such as"."""

    def __init__(self, name: str, low: int, high: int, example: str) -> None:
        self.name = name
        self.low = low
        self.high = high
        self.example = example

    def __call__(self, value: str) -> int:
        """Return the number. Raises ConfigError."""
        way_out = f"give a whole number from {self.low:,} to {self.high:,}, such as {self.example}"
        number = parse_number(self.name, value, lambda one: self.low <= one <= self.high, way_out)
        if not number.is_integer():
            raise ConfigError(f"{self.name} {value} is not a whole number: {way_out}.")
        return int(number)

    @property
    def hint(self) -> str:
        """What it takes, in a sentence."""
        return f"Whole numbers from {self.low:,} to {self.high:,}."


class OneOf:
    """Parses one of several words."""

    def __init__(self, name: str, choices: tuple[str, ...]) -> None:
        self.name = name
        self.choices = choices

    def __call__(self, value: str) -> str:
        """Return the word. Raises ConfigError."""
        chosen = value.strip().lower()
        if chosen not in self.choices:
            raise ConfigError(f"{self.name} {value!r} is unknown: choose {self._listed()}.")
        return chosen

    @property
    def hint(self) -> str:
        """What it takes, in a sentence."""
        return f"{self._listed()}."

    def _listed(self) -> str:
        return f"{', '.join(self.choices[:-1])} or {self.choices[-1]}"


class Number:
    """Parses a number that is `allowed`; `way_out` says which are."""

    def __init__(self, name: str, allowed: Callable[[float], bool], way_out: str) -> None:
        self.name = name
        self.allowed = allowed
        self.way_out = way_out

    def __call__(self, value: str) -> float:
        """Return the number. Raises ConfigError."""
        return parse_number(self.name, value, self.allowed, self.way_out)


def parse_number(name: str, value: str, allowed: Callable[[float], bool], way_out: str) -> float:
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


parse_batch_size = Whole("batch size", 1, MAX_BATCH_SIZE, "64 or 4096")
parse_epochs = Whole("epochs", 1, MAX_EPOCHS, "10, as in the thread")
parse_update = Whole("update", 0, MAX_STEPS, "97")
"""After how many updates something is done."""
parse_momentum = Number(
    "momentum",
    lambda number: 0.0 <= number < 1.0,
    "give 0 or more and less than 1, the share of the old value kept, such as 0.99 (torch calls "
    "this 0.01)",
)
parse_learning_rate = Number(
    "learning rate",
    lambda number: 0.0 < number <= MAX_LEARNING_RATE,
    f"give more than 0 and at most {MAX_LEARNING_RATE:g}, such as 0.001",
)
parse_width = Number(
    "width",
    lambda number: MIN_WIDTH <= number <= MAX_WIDTH,
    f"give {MIN_WIDTH:g} to {MAX_WIDTH:g}; 1 is the thread's network, 0.25 the quick one",
)


def parse_pace(value: str) -> float:
    """Return the pace in updates a second, infinity for `max`. Raises ConfigError."""
    if value.strip().lower() in {"max", "unlimited"}:
        return math.inf
    way_out = f"give more than 0 and at most {MAX_PACE:g} updates a second, or max"
    return parse_number("pace", value, lambda number: 0.0 < number <= MAX_PACE, way_out)


def parse_batch_schedule(value: str) -> str:
    """Return the schedule in its shortest form: "x2/1", "1:16,5:64" or "". Raises ConfigError."""
    text = "".join(value.lower().split())
    try:
        if not text or text == "none":
            return ""
        if text.startswith("x"):
            factor, _, every = text[1:].partition("/")
            number = parse_number("factor", factor, lambda one: 1.0 < one <= MAX_BATCH_SIZE, "")
            return f"x{str(number).removesuffix('.0')}/{parse_epochs(every or '1')}"
        points = [point.split(":") for point in text.split(",")]
        if any(len(point) != 2 for point in points):
            raise ConfigError("no point")
        sizes = {parse_epochs(epoch): parse_batch_size(size) for epoch, size in points}
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


def _absolute(path: str) -> str:
    """Return a path that means the same from every folder; as it is if the current one was removed."""
    expanded = os.path.expanduser(path)  # noqa: PTH111 - Path's raises for an unknown user
    try:
        return os.path.abspath(expanded)  # noqa: PTH100
    except OSError:
        return expanded
