"""What a runner needs of what it trains: one session, or two in lockstep."""

from typing import TYPE_CHECKING, Protocol

from bntui.core.config import Knobs
from bntui.core.run import Point
from bntui.core.snapshot import EpochReport, Phase, Snapshot

if TYPE_CHECKING:  # they load torch
    from bntui.measure.observer import Observer
    from bntui.train.trainer import Trainer


class Trainable(Protocol):
    """A loaded run that is advanced one update at a time, on one thread."""

    @property
    def trainer(self) -> "Trainer":
        """What makes the updates; of two in lockstep, the first one's."""

    @property
    def observer(self) -> "Observer":
        """The one at work at this moment, whose time is counted."""

    @property
    def knobs(self) -> Knobs:
        """The knobs that are applied."""

    @property
    def finished(self) -> bool:
        """Whether the epochs or steps asked for are done."""

    def extend(self) -> None:
        """Set the goal as far ahead again as it was at the start."""

    def train_once(self, wanted: Knobs | None) -> list[EpochReport]:
        """Make one update with `wanted` knobs, or those at hand, and observe what is due.

        Returns the reports of epochs that ended.
        """

    def observe(self) -> None:
        """Validate now."""

    def conclude(self) -> None:
        """Make what is planned for the end, and measure all there is."""

    def ask_what_if(self) -> None:
        """Validate the weights at hand under every estimator."""

    def ask_channels(self) -> None:
        """Find out which channels of the layers are to blame."""

    def recalibrate(self, *, apply: bool) -> None:
        """Find out what recalibrated statistics would do; `apply` puts them to use."""

    def catch_up(self) -> None:
        """Take the results that wait on the device, and count the time since as training."""

    def snapshot(self, phase: Phase) -> Snapshot:
        """Return the state of the run as of the last `catch_up`; changes nothing."""

    def watch(self) -> None:
        """Note from now on what is appended to the histories, for `take_journal`."""

    def take_journal(self) -> list[Point]:
        """Return what was appended to the histories since the last call."""

    def keep(self, label: str) -> object:
        """Keep this moment as a checkpoint, where that can be."""
