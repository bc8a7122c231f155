"""A clock that stands still while ctrl+z has stopped the explorer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_stopped = 0.0
_lock = RLock()  # re-entrant: a signal's handler may interrupt `now` on its own thread


def now() -> float:
    """Return seconds since some moment, without those for which the clock stood still."""
    with _lock:
        return time.perf_counter() - _stopped


@contextmanager
def standing_still() -> Iterator[None]:
    """Have the clock stand still as long as the block lasts, and whoever reads it wait."""
    global _stopped
    with _lock:
        reading = now()
        try:
            yield
        finally:
            _stopped = time.perf_counter() - reading
