"""Hands the newest snapshot of the run to whatever shows it: the one place that polls the run."""

import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from textual.screen import Screen

from bntui.core.snapshot import Snapshot
from bntui.ui.explorer.refresh_rate import RefreshRate
from bntui.ui.widgets.status import StatusLine

SOON = (0.02, 0.08)
"""Seconds after a key at which its effect is looked for, before the next regular poll."""


@runtime_checkable
class ShowsRun(Protocol):
    """A screen over the explorer that shows the run under way."""

    def show(self, snapshot: Snapshot) -> None:
        """Show `snapshot`, which may be the one that is shown."""


class SnapshotFollower:
    """Polls the run of one explorer, for as long as that is there."""

    def __init__(
        self,
        explorer: Screen[None],
        latest: Callable[[], Snapshot],
        *,
        show: Callable[[Snapshot | None, Snapshot], None],
        rate: RefreshRate,
    ) -> None:
        """`latest` returns the run's snapshot.

        `show` gets the snapshot that was shown before, if any, and a new one, when the explorer is in
        front.
        """
        self.shown: Snapshot | None = None
        """The snapshot that the explorer shows."""
        self._explorer = explorer
        self._latest = latest
        self._show = show
        self._rate = rate
        self._shown_behind = 0.0

    def start(self) -> None:
        """Poll now, and from now on."""
        self.poll()
        self._explorer.set_timer(self._rate.wait(), self.start)

    def poll(self) -> None:
        """Show the run's latest snapshot on the screen in front: all of it, or what its header tells.

        What lies behind a dialog stands still: Textual draws the dialog's cells again for every change
        behind it.
        """
        front, snapshot = self._explorer.app.screen, self._latest()
        if front is self._explorer:
            if snapshot is not self.shown:
                before, self.shown = self.shown, snapshot
                self._show(before, snapshot)
            return
        if isinstance(front, ShowsRun) and front.is_mounted:
            front.show(snapshot)
        for header in front.query(StatusLine):
            if not front.is_modal or header.blank or self._another_second():
                header.show(snapshot)

    def poll_soon(self) -> None:
        """Show the effect of a key before the next regular poll."""
        for seconds in SOON:
            self._explorer.set_timer(seconds, self.poll)

    def _another_second(self) -> bool:
        """Tell whether a second has passed since this was last so."""
        now = time.monotonic()
        if now - self._shown_behind < 1.0:
            return False
        self._shown_behind = now
        return True
