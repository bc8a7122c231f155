"""Whether a stored run is under way: exactly, even after a crash.

A live run holds a lock on a small file of its own beside the store, which the kernel lets go of when
the process ends, however it ends.
"""

import errno
import fcntl
import os
import re
import time
from pathlib import Path

from bntui.store.schema import StoreError

ATTEMPTS = 20
_PAUSE = 0.01
MENDING = "mending"
"""What is held, as if it were a run, while a damaged store is mended."""
_AT_ONCE = os.O_NONBLOCK | os.O_NOFOLLOW
"""Wait for nobody, as a pipe would, and open nothing that lies elsewhere."""


def is_id(text: object) -> bool:
    """Tell whether a value may be a run's id. An id becomes a file's name, so nothing else may."""
    return isinstance(text, str) and re.fullmatch("[0-9a-f]{1,64}", text) is not None


def live_path(store: Path, run: str) -> Path:
    """Return the file that `run` holds while it is under way. Raises StoreError for what is no id.

    A store can hold anything for an id, a path as well, and what is held so is removed at its end.
    """
    if not is_id(run) and run != MENDING:
        raise StoreError(
            f"run {run!r} in {store} has no id as bntui writes them: it is left alone."
        )
    return store.with_name(f"{store.name}-live") / run


def hold(path: Path) -> int | None:
    """Take the lock until `let_go` or the end of the process: its descriptor, None if it is taken.

    Raises OSError. Somebody who looks holds it for microseconds, so it is tried for a moment.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(ATTEMPTS):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _AT_ONCE, 0o600)
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
        descriptor = os.open(path, os.O_RDONLY | _AT_ONCE)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link or a socket: no run holds such
            return False
        raise
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
