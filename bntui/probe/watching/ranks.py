"""What the processes of one training have in their running statistics, as rank 0 compares them.

The ranks of `DistributedDataParallel` have the same weights, so what differs in their statistics is
what differs in their batches. Nothing here is a collective, which would wait for ranks that are not
watched, late or dead: each rank writes its rows into the key-value store by which the ranks met, and
rank 0 reads what is there. What fails is noted, and not tried again.
"""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn

from bntui.core.text import first_sentence
from bntui.probe.causes import Finding
from bntui.probe.numbers import counted
from bntui.probe.watching.apart import Together, finding
from bntui.probe.watching.batch_statistics import Statistics
from bntui.probe.watching.sent_buffers import SentBuffers

EVERY = 32
"""Updates from one publication to the next, after those at 1, 2, 4, 8 and 16."""
MOST = 16
"""Ranks that are compared: each costs rank 0 a message of 24 bytes a channel."""
LONGEST = timedelta(seconds=2)
"""How long the store may take to answer."""
KEPT = 3
"""Publications of its own that rank 0 keeps: a rank whose last is older is late."""
FULLY_SHARDED = "FullyShardedDataParallel"
SPREAD = (
    "The weights are spread over the processes, so that a look of one would wait for all: only the ranks' "
    "statistics were compared."
)
UNMET = (
    "bntui looked at nothing: the environment says that this is process {rank} of several, of which only process "
    "0 is looked at, but torch.distributed was not used. Unset RANK and LOCAL_RANK if it trains alone."
)
_NAMES = ("RANK", "LOCAL_RANK")
"""Where torchrun and Lightning tell a process its rank, before there is a group."""
_NUMBERS = itertools.count(1)
"""Of the trainings that are watched in this process: the ranks' first ones belong together, and so on."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a rank tells of itself: (2, C) each, NaN where there is none."""

    update: int
    own: Tensor
    before: Tensor
    """Its running statistics before the last update."""
    recent: Tensor
    """Of its last 8 updates' batches."""

    @classmethod
    def of(cls, statistics: Statistics, update: int) -> "Rows":
        """Take the rows as they are now, on the CPU."""
        own = statistics.own().cpu()
        recent, last = statistics.recent(), statistics.last_move
        nothing = torch.full_like(own, torch.nan)
        before = nothing if last is None else last.before.cpu()
        return cls(update, own, before, nothing if recent is None else recent.cpu())

    def message(self) -> bytes:
        """Return them as bytes: the update as int64, the rows as float32."""
        rows = torch.stack([self.own, self.before, self.recent]).float().contiguous()
        return np.int64(self.update).tobytes() + rows.numpy().tobytes()

    @classmethod
    def read(cls, message: bytes) -> "Rows":
        """Return what `message` wrote."""
        rows = torch.from_numpy(np.frombuffer(message, np.float32, offset=8).copy())
        return cls(int(np.frombuffer(message, np.int64, count=1)[0]), *rows.view(3, 2, -1))


class Ranks:
    """The processes that train one model together; nothing where it is trained by one.

    Every rank makes one of its model, in the same order, and calls `publish` after each update.
    """

    def __init__(self, model: nn.Module) -> None:
        self.spread = _is_spread(model)
        """Whether the model's weights are spread over the processes: whatever reads them waits for all."""
        self._model = model
        self._number = next(_NUMBERS)
        self._rank = _told_rank()
        self._met = False
        """Whether the processes were a group at any time."""
        self._sent: SentBuffers | None = None
        self._mine: list[Rows] = []
        self._store: Any = None
        self._failed = ""
        self._found: Finding | None = None
        self._notes: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """The rank of this process, 0 where it is alone; the last one that it had."""
        if distributed.is_available() and distributed.is_initialized():
            self._rank, self._met = distributed.get_rank(), True
        return self._rank

    @property
    def unmet(self) -> str:
        """Why nothing is told here, where the environment alone says that others train, too: a sentence or nothing."""
        return UNMET.format(rank=self.rank) if self.rank and not self._met else ""

    def publish(self, statistics: Statistics, update: int) -> None:
        """Tell rank 0 the rows of this one, every few updates. Raises nothing, waits for nobody."""
        if not _due(update) or self._failed or not _several():
            return
        if self._sent is None and self.rank:
            self._sent = SentBuffers(self._model, statistics)
        mine = Rows.of(statistics, update)
        if self.rank == 0:
            self._mine = [*self._mine, mine][-KEPT:]
        elif self.rank in _compared(distributed.get_world_size()):
            self._asked("set", self._key(self.rank), mine.message())

    def compare(self, statistics: Statistics, batch: int | None = None) -> Finding | None:
        """Return what rank 0 finds in the other ranks' rows; None on other ranks, and where all is well.

        `batch`: samples of a rank's batch, if known, which tell how much chance explains. When the group
        is no more, it is what was found last.
        """
        if not self._mine or not _several() or self.rank:
            return self._found
        size = distributed.get_world_size()
        wanted = _compared(size)
        found = {other: rows for other in wanted if (rows := self._rows_of(other))}
        mine = {rows.update: rows for rows in self._mine}
        heard = {
            other: (mine[rows.update], rows)
            for other, rows in found.items()
            if rows.update in mine and rows.own.shape == self._mine[0].own.shape
        }
        together = Together.of(heard) if heard else None
        self._found = None
        if together:
            self._found = finding(statistics.layers, together, statistics.momentum, batch)
        unheard = tuple(other for other in wanted if other not in heard)
        self._notes = tuple(self._said(size, unheard, together))
        return self._found

    @property
    def notes(self) -> tuple[str, ...]:
        """What the last comparison left out and why, and whose batches make the statistics: sentences."""
        return (*((SPREAD,) if self.spread else ()), *self._notes)

    def detach(self) -> None:
        """Remove every hook."""
        if self._sent is not None:
            self._sent.detach()

    def _said(
        self, size: int, unheard: tuple[int, ...], together: Together | None
    ) -> Iterator[str]:
        if self._failed:
            yield f"Statistics of the {size} ranks were not compared: {self._failed}."
        elif unheard:
            who = ", ".join(str(other) for other in unheard)
            yield (
                f"Of {counted(len(unheard), 'rank')} ({who}) nothing was heard lately: bntui.watch must be "
                "called on every rank for their statistics to be compared."
            )
        if size - 1 > (compared := len(_compared(size))):
            yield f"Of {size} ranks {compared} were compared with rank 0."
        if together and together.broadcast:
            yield (
                f"Only rank 0's batches make the running statistics, one in {size}: DistributedDataParallel "
                "sends rank 0's buffers to all ranks before each forward pass (broadcast_buffers=True)."
            )

    def _rows_of(self, other: int) -> Rows | None:
        key = self._key(other)
        message = self._asked("get", key) if self._asked("check", [key]) else None
        return None if message is None else Rows.read(message)

    def _key(self, rank: int) -> str:
        return f"bntui/{self._number}/{rank}"

    def _asked(self, what: str, *given: Any) -> Any:
        """Ask the store; None where it fails, after which it isn't asked again."""
        if self._failed:
            return None
        try:
            if self._store is None:
                # A connection of its own: a long wait of the training's, in another thread, holds its
                # connection, and LONGEST is no matter of the training's.
                self._store = distributed.distributed_c10d._get_default_store().clone()
                self._store.set_timeout(LONGEST)
            return getattr(self._store, what)(*given)
        except Exception as error:
            self._failed = f"{first_sentence(error)} ({type(error).__name__})"
            return None


def _told_rank() -> int:
    """Return the rank that the environment tells, before there is a group; 0 where it tells none."""
    for name in _NAMES:
        if os.environ.get(name, "").isdecimal():
            return int(os.environ[name])
    return 0


def _several() -> bool:
    return (
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
    )


def _is_spread(model: nn.Module) -> bool:
    """Tell whether FSDP, or whatever else makes DTensors, has spread a model's weights over processes."""
    spread = any(hasattr(one, "device_mesh") for one in model.parameters())
    return spread or any(type(one).__name__ == FULLY_SHARDED for one in model.modules())


def _due(update: int) -> bool:
    return update > 0 and (update % EVERY == 0 or (update < EVERY and update & (update - 1) == 0))


def _compared(size: int) -> tuple[int, ...]:
    """Return which ranks are compared with rank 0: all, or `MOST` evenly spread ones."""
    others = np.linspace(1, size - 1, min(MOST, size - 1)).round().astype(int)
    return tuple(int(other) for other in others)
