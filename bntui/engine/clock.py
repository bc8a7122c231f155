"""A clock that stands still while the process is stopped, as by ctrl+z."""

import time

_stopped = 0.0


def now() -> float:
    """Return seconds since some moment, without those for which the process was stopped."""
    return time.perf_counter() - _stopped


def stood_still(seconds: float) -> None:
    """Take out so many seconds that have just passed."""
    global _stopped
    _stopped += seconds
