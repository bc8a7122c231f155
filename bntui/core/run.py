"""The interface of a run. `train.runner.Runner` implements it."""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Protocol

from bntui.core.config import Knobs
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import EpochReport, Snapshot

LEAVE_SECONDS = 2.0
"""How long the end of the program waits for the update under way."""


class Command(Enum):
    """What can be asked of a run between two updates, also while it is paused."""

    STEP = auto()
    PEEK = auto()
    """Find out what recalibrating would do; change nothing."""
    RECALIBRATE = auto()
    WHAT_IF = auto()
    """Validate the weights at hand under every estimator row."""
    CHANNELS = auto()
    """Find out which channels of the layers are to blame, for the weights at hand."""
    KEEP_WEIGHTS = auto()
    """Keep the weights at hand in the store."""


class Run(Protocol):
    """One run on a thread of its own. Every method may be called from any thread."""

    snapshot: Snapshot
    """The latest state; its fields never change, the attribute does."""

    def start(self, *, after: "Run | None" = None) -> None:
        """Begin to load and then, unless paused, to train; not before `after` has ended."""

    def pause(self) -> None:
        """Stop training after the update under way."""

    def resume(self) -> None:
        """Train on; after the last epoch, as many epochs again."""

    def stop(self) -> None:
        """End the run after the update, or the piece of an evaluation, under way."""

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the run's thread to end; return whether it has."""

    def leave(self, timeout: float = LEAVE_SECONDS, *, interrupted: bool = False) -> bool:
        """Stop, and wait for the run's thread to end; return whether it has.

        If not, what is complete is kept, and nothing after it. `interrupted` is a run that its user
        did not mean to end.
        """

    def apply(self, knobs: Knobs) -> None:
        """Use `knobs` from the next update on; until then the snapshot has them as `wanted`."""

    def command(self, command: Command) -> None:
        """Ask for something to be done between two updates."""


MakeRun = Callable[[RunRequest], Run]
"""Makes the run that is asked for, not yet started. Raises ConfigError."""

Point = tuple[str, int, float]
"""One value of a series: the series' name, the update, the value."""


class Recorder(Protocol):
    """Keeps what a run shows. Called on the run's thread; `store.recorder.StoreRecorder` implements it.

    No method raises: a run goes on when it can't be kept.
    """

    run: str
    """The id under which the run is kept."""
    problem: str
    """Why the run is not being kept at the moment, in one sentence; empty when all is well."""
    notice: str
    """One sentence for the user, such as that the store was repaired; mostly empty."""

    def record(self, snapshot: Snapshot, journal: Sequence[Point]) -> None:
        """Take a snapshot, and the values that were appended to the series since the last call.

        To be called about ten times a second while training and at every change of phase. Marks,
        the last checkpoint, hindsight and the verdict are taken from the snapshot.
        """

    def report(self, report: EpochReport) -> None:
        """Take an epoch's figures."""

    def weights(self, update: int, content: bytes) -> None:
        """Keep the weights of this moment, in place of those kept before."""

    def close(self, snapshot: Snapshot) -> None:
        """End the recording; `snapshot` is the run's last."""
