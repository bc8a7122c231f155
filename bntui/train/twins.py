"""Two sessions in lockstep that differ in one setting: update by update, image by image.

To the runner they are one session: both do what is asked of it, but for the one setting.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from bntui.core.config import Knobs
from bntui.core.run import Point
from bntui.core.run_request import New, RunRequest
from bntui.core.settings import twin_of, twin_setting
from bntui.core.snapshot import TWIN, EpochReport, Phase, Snapshot
from bntui.measure.observer import Observer
from bntui.train.session import Session
from bntui.train.trainer import Trainer


class Twins:
    """A session and its twin. Only the first decides when to validate and when to end."""

    def __init__(self, request: RunRequest, make: Callable[[RunRequest], Session]) -> None:
        """`make` loads a session. The twin's own setting is not for the machine to choose."""
        config = request.config
        self._difference = config.twin
        self._one = make(replace(request, config=replace(config, twin="")))
        open_to_both = New(request.left_open - {twin_setting(config.twin)[0].field})
        self._other = make(replace(request, config=twin_of(config), origin=open_to_both))
        self._other.observer.led = True
        self._active = self._one
        self._one.observer.budget.begin()

    @property
    def observer(self) -> Observer:
        """Of the session at work at this moment, whose time is counted."""
        return self._active.observer

    @property
    def trainer(self) -> Trainer:
        """The first one's."""
        return self._one.trainer

    @property
    def knobs(self) -> Knobs:
        """The first one's."""
        return self._one.knobs

    @property
    def finished(self) -> bool:
        """Whether the first has done what was asked for."""
        return self._one.finished

    def extend(self) -> None:
        """Set the goal as far ahead again as it was at the start."""
        self._one.extend()

    def train_once(self, wanted: Knobs | None) -> list[EpochReport]:
        """Make one update of both, and observe both whenever the first one is observed."""
        seen, looked_back = self._one.observer.validation, self._one.observer.hindsight
        asked = (wanted or self._one.knobs).batch_size
        reports = self._one.train_once(wanted)
        if self._one.knobs.batch_size < asked and not self._one.config.batch_schedule:
            # Memory did not suffice: the other sees the same images, if it is to see as many.
            size = self._one.knobs.batch_size
            wanted = replace(wanted or self._other.knobs, batch_size=size)
        with self._others_turn() as other:
            if other.finished:
                other.extend()
            theirs = other.train_once(self._for_the_other(wanted))
            if self._one.finished and other.trainer.mid_epoch:
                theirs.append(other.observer.end_epoch(full=False))
            live = self._one.observer.observation.live
            if live and self._one.observer.validation is not seen:
                other.observer.validate()
            looked = self._one.observer.hindsight is not looked_back
            if live and looked and other.config.has_hindsight:
                other.observer.look_back()
        return reports + [replace(report, twin=self._difference) for report in theirs]

    def observe(self) -> None:
        """Validate both now."""
        self._one.observe()
        self._validate_other()

    def conclude(self) -> None:
        """Make what is planned for the end, and measure all there is."""
        self._one.conclude()
        with self._others_turn() as other:
            other.conclude()
        self._validate_other()

    def ask_what_if(self) -> None:
        """Validate the first one's weights at hand under every estimator."""
        self._one.ask_what_if()

    def ask_channels(self) -> None:
        """Find out which channels of the first one's layers are to blame."""
        self._one.ask_channels()

    def recalibrate(self, *, apply: bool) -> None:
        """Find out what recalibrated statistics would do; `apply` puts them to use in both."""
        self._one.recalibrate(apply=apply)
        with self._others_turn() as other:
            other.recalibrate(apply=apply)

    def catch_up(self) -> None:
        """Take the results of both that wait on the device, and count each one's time as training."""
        if self._active is self._other:  # asked for in the middle of its work
            self._one.observer.budget.begin()
        self._one.catch_up()
        with self._others_turn() as other:
            other.catch_up()

    def snapshot(self, phase: Phase) -> Snapshot:
        """Return the first one's state, with the other's inside, as of the last `catch_up`."""
        one, twin = self._one.snapshot(phase), self._other.snapshot(phase)
        config = replace(one.config, twin=self._difference)
        return replace(one, config=config, twin=twin)

    def _validate_other(self) -> None:
        seen = self._other.observer.validation
        fresh = seen is not None and seen.update == self._other.trainer.update
        if self._one.observer.observation.live and not fresh:
            with self._others_turn() as other:
                other.observer.validate(asked=True)

    def watch(self) -> None:
        """Note from now on what is appended to the series of both."""
        self._one.watch()
        self._other.watch()

    def take_journal(self) -> list[Point]:
        """Return what was appended since the last call; the other's series begin with `twin:`."""
        theirs = [
            (TWIN + name, update, value) for name, update, value in self._other.take_journal()
        ]
        return self._one.take_journal() + theirs

    def keep(self, label: str) -> None:
        """Keep nothing: a checkpoint is of one run, and its epochs' are kept anyway."""

    @contextmanager
    def _others_turn(self) -> Iterator[Session]:
        """Let the other work, and count the time as the other's."""
        before = self._active
        before.observer.budget.trained()
        self._active = self._other
        self._other.observer.budget.begin()
        try:
            yield self._other
        finally:
            self._other.observer.budget.trained()
            self._active = before
            before.observer.budget.begin()

    def _for_the_other(self, wanted: Knobs | None) -> Knobs | None:
        row, value = twin_setting(self._difference)
        if wanted is None or not row.live:
            return wanted
        change: dict[str, Any] = {row.field: value}
        return replace(wanted, **change)
