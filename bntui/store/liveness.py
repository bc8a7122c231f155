"""Whether a stored run is under way: exactly, even after a crash.

A live run holds a lock on a small file of its own beside the store, which the kernel lets go of when
the process ends, however it ends.
"""

import fcntl
import os
import time
from pathlib import Path

ATTEMPTS = 20
_PAUSE = 0.01


def live_path(store: Path, run: str) -> Path:
    """Return the file that `run` holds while it is under way."""
    return store.with_name(f"{store.name}-live") / run


def hold(path: Path) -> int | None:
    """Take the lock until `let_go` or the end of the process: its descriptor, None if it is taken.

    Raises OSError. Somebody who looks holds it for microseconds, so it is tried for a moment.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(ATTEMPTS):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            time.sleep(_PAUSE)
            continue
        if _is(descriptor, path):
            return descriptor
        os.close(descriptor)  # the one before let go between our two calls
    return None


def let_go(path: Path, descriptor: int) -> None:
    """Let go of the lock, and remove its file."""
    path.unlink(missing_ok=True)
    os.close(descriptor)


def is_held(path: Path) -> bool:
    """Tell whether a process, this one or another, holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
