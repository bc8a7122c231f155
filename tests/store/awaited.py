"""Waiting for what a run that is followed shows."""

import time
from collections.abc import Callable

from bntui.core.snapshot import Snapshot
from bntui.store.follow import Followed

PATIENCE = 30.0
"""Seconds that a test waits for what takes a tenth of one: the machine may be busy."""


def until(
    followed: Followed,
    condition: Callable[[Snapshot], bool],
    also: Callable[[], None] = lambda: None,
) -> Snapshot:
    """Return the first snapshot seen of which a condition is true; meanwhile `also` is done again and again."""
    end = time.monotonic() + PATIENCE
    while not condition(snapshot := followed.snapshot):
        assert time.monotonic() < end, f"{snapshot.phase} {snapshot.update} {snapshot.message!r}"
        also()
        time.sleep(0.01)
    return snapshot
