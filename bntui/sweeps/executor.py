"""What runs cells for a driver: processes of this machine (`processes.py`), or a Ray cluster (`on_ray.py`).

A worker keeps nothing. All that its run would write to a store it sends to the driver, which alone writes:
so the two kinds of worker differ in how they are begun, and in nothing that is kept.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bntui.core.run import Point
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import EpochReport, Snapshot


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of a cell's run, as `Recorder.record` takes it.

    Of the checkpoints it has the last, if that is new and it is time for it, and of the series those
    that a recorder reads.
    """

    snapshot: Snapshot
    journal: Sequence[Point]
    same: frozenset[str] = frozenset()
    """Fields of the snapshot that are left out, since they are those of the message before."""


@dataclass(frozen=True, slots=True)
class Reported:
    """An epoch has ended."""

    report: EpochReport


@dataclass(frozen=True, slots=True)
class Ended:
    """The cell's run is over, as the phase of its last snapshot says: finished, failed, interrupted."""

    snapshot: Snapshot
    same: frozenset[str] = frozenset()
    """As in `Progress`."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What ran the cell is gone: its process was killed, or its node."""

    why: str
    """One sentence."""


Message = Progress | Reported | Ended | Lost


def received(
    messages: deque[tuple[str, Message]], take: Callable[[float], None], timeout: float
) -> list[tuple[str, Message]]:
    """Return the messages that are there, which are then there no longer, in order.

    If there are none, `take`, which may wait for so many seconds, is asked for some; for `timeout` seconds
    at the most.
    """
    until = time.monotonic() + timeout
    while not messages:
        left = until - time.monotonic()
        take(max(0.0, left))
        if left <= 0.0:
            break
    found = list(messages)
    messages.clear()
    return found


class Executor(Protocol):
    """Runs cells somewhere. Used by one thread."""

    workers: str
    """With what it works: "2 processes of 1 thread", "Ray: 8 CPUs on 2 nodes"."""

    def free(self) -> int:
        """Return how many more cells can begin now."""

    def begin(self, run: str, request: RunRequest) -> None:
        """Begin a cell, whose run has this id. Returns at once.

        Raises ConfigError where nothing can be begun at the moment: a process, say.
        """

    def receive(self, timeout: float) -> list[tuple[str, Message]]:
        """Return what came from the cells' runs, in order; waits so many seconds at most for the first.

        The last message of a run is `Ended` or `Lost`.
        """

    def stop(self) -> None:
        """Ask all that is under way to stop after its update: each then sends `Ended`. Returns at once."""

    def close(self) -> None:
        """End what is left, whether it has stopped or not."""
