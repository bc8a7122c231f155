"""The state of a session as a checkpoint has it, and whether it can go on here, bit for bit."""

from dataclasses import dataclass
from typing import Annotated

import torch

from bntui.core.border import BorderError, Count, Length, Positive, Read, convert
from bntui.core.config import Knobs
from bntui.core.settings import knobs_of
from bntui.core.snapshot import Checkpoint, Mark
from bntui.core.text import ConfigError
from bntui.data.dataset import Dataset
from bntui.measure.observer import ObserverState
from bntui.train.checkpoints import unpack
from bntui.train.trainer import TrainerState

MAX_MARKS = 1000


@dataclass(frozen=True, slots=True)
class Data:
    """What a data set is told from another by."""

    train: Positive
    validation: Count
    image: tuple[int, int, int]
    """Channels, height and width."""
    classes: Positive
    checksum: int
    """Of all images and labels."""

    def __str__(self) -> str:
        """Describe it, but for the checksum."""
        size = "×".join(map(str, self.image))
        return (
            f"{self.train:,} training and {self.validation:,} validation images of {size} in "
            f"{self.classes} classes"
        )


@dataclass(frozen=True, slots=True)
class Machine:
    """What the last bits of a run's numbers depend on beside its settings."""

    device: str
    threads: int
    torch: str


@dataclass(frozen=True, slots=True)
class SessionState:
    """All that a session goes on from."""

    data: Data
    machine: Machine
    trainer: TrainerState
    observer: ObserverState
    marks: Annotated[list[Mark], Length(0, MAX_MARKS)]
    epochs: Positive
    """The epoch at whose end the run pauses."""
    steps: int | None
    knobs: Annotated[Knobs, Read(knobs_of)]
    followed: Count
    """Changes of the script that were made."""


def data_of(dataset: Dataset) -> Data:
    """Return what tells this data set from others."""
    channels, height, width = dataset.train.images.shape[1:]
    return Data(
        len(dataset.train),
        len(dataset.validation),
        (channels, height, width),
        dataset.classes,
        dataset.checksum,
    )


def machine_of(device: torch.device) -> Machine:
    """Return where this process computes, and with what."""
    return Machine(device.type, torch.get_num_threads(), torch.__version__)


def read(begin: Checkpoint, data: Data) -> SessionState:
    """Return what a session on `data` goes on from. Raises ConfigError."""
    state = unpack(begin.content())
    try:
        # First of all, for other data would fit nothing else.
        before = convert(Data, state.get("data"), where="data")
        if before != data:
            raise ConfigError(_other_data(before, data))
        return convert(SessionState, state)
    except BorderError as error:
        raise ConfigError(does_not_fit(error)) from error


def does_not_fit(why: Exception) -> str:
    """Say that a checkpoint is not of this run."""
    return (
        f"the checkpoint does not fit this run's network or data ({why}): repeat the run from its "
        "start."
    )


def remark(before: Machine, now: Machine, update: int) -> str:
    """Say why a run can't go on bit for bit; nothing where it can."""
    parts, cure = [], ""
    if before.device != now.device:
        parts.append(f"on {now.device} instead of {before.device}")
    elif now.device == "cpu" and before.threads != now.threads:
        parts.append(f"with {_threads(now.threads)} instead of {before.threads}")
        cure = f"; OMP_NUM_THREADS={before.threads} gives it as many"
    if before.torch != now.torch:
        parts.append(f"with torch {now.torch} instead of {before.torch}")
    if not parts:
        return ""
    return (
        f"this run goes on {' and '.join(parts)}: from update {update:,} on its numbers are not bit "
        f"for bit those of a run without a break{cure}."
    )


def _threads(number: int) -> str:
    return f"{number} thread" if number == 1 else f"{number} threads"


def _other_data(before: Data, now: Data) -> str:
    if str(before) == str(now):
        which = f"other images or labels than then, as many of them: {now}"
    else:
        which = f"{now} instead of {before}"
    return (
        f"the data are not those that this run trained on ({which}): put those back, or repeat the "
        "run from its start."
    )
