"""Whether a stored run is under way: exactly, even after a crash.

A live run holds a lock on a small file of its own beside the store, which the kernel lets go of when
the process ends, however it ends.
"""

import errno
import fcntl
import os
import re
import socket
import time
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

from bntui.machine.places import FILE, keep_private, make_folder
from bntui.store.opening import real
from bntui.store.schema import StoreError

ATTEMPTS = 20
_PAUSE = 0.01
MENDING = "mending"
"""What is held, as if it were a run, while a damaged store is mended."""
_AT_ONCE = os.O_NONBLOCK | os.O_NOFOLLOW
"""Wait for nobody, as a pipe would, and open nothing that lies elsewhere."""
_locks: set[int] = set()
_marks: WeakSet[socket.socket] = WeakSet()
"""What this process holds: a child that it forks has them as well, and might outlive it."""


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
    return _folder(store) / run


def hold(path: Path) -> int | None:
    """Take the lock until `let_go` or the end of the process: its descriptor, None if it is taken.

    Raises OSError. Somebody who looks holds it for microseconds, so it is tried for a moment.
    """
    for _ in range(ATTEMPTS):
        make_folder(path.parent)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _AT_ONCE, FILE)
        except FileNotFoundError:  # the last to let go has removed the folder
            continue
        if _taken(descriptor, fcntl.LOCK_EX):
            if _is(descriptor, path):
                keep_private(descriptor)
                _locks.add(descriptor)
                return descriptor
            os.close(descriptor)  # the one before let go between our two calls
        else:
            os.close(descriptor)
            time.sleep(_PAUSE)
    return None


def still_held(path: Path, descriptor: int) -> bool:
    """Tell whether the lock is the one that others would see: its file may have been removed."""
    return _is(descriptor, path)


def mark(store: Path, run: str) -> socket.socket | None:
    """Take the name that the run has in the kernel, until the socket is closed.

    It is made of the file's device and number, so that a run is under way also for those who reach
    its store by a hard link, or a mount of the file alone, beside which other locks lie. None where
    there are no such names: only Linux has them. Raises BlockingIOError if it is taken, and OSError
    where there is no store.
    """
    found = store.stat()
    try:
        holder = socket.socket(socket.AF_UNIX)
    except OSError:
        return None
    try:
        holder.bind(f"\0bntui-{found.st_dev:x}-{found.st_ino:x}-{run}")
    except OSError as error:
        holder.close()
        if error.errno == errno.EADDRINUSE:
            raise BlockingIOError(errno.EAGAIN, "the run is under way") from error
        return None
    _marks.add(holder)
    return holder


def take_mark(store: Path, run: str) -> socket.socket | None:
    """Take the name as `mark` does: somebody who looks has it for microseconds, so it is tried for a moment."""
    for _ in range(ATTEMPTS - 1):
        with suppress(BlockingIOError):
            return mark(store, run)
        time.sleep(_PAUSE)
    return mark(store, run)


def is_under_way(store: Path, run: str) -> bool:
    """Tell whether a process, this one or another, has the run of this store. Raises OSError."""
    if is_held(live_path(store, run)):
        return True
    try:
        holder = mark(store, run)
    except BlockingIOError:
        return True
    if holder is not None:
        holder.close()
    return False


def held_runs(store: Path) -> set[str]:
    """Return the runs of a store whose locks are held. Raises OSError."""
    try:
        names = os.listdir(_folder(store))  # noqa: PTH208 - a name is an id
    except (FileNotFoundError, NotADirectoryError):
        return set()
    return {name for name in names if is_id(name) and is_held(_folder(store) / name)}


def let_go(path: Path, descriptor: int) -> None:
    """Let go of the lock, and remove its file, and the folder of the last; nothing in a forked child."""
    if descriptor not in _locks:
        return
    _locks.discard(descriptor)
    with suppress(OSError):  # the folder may be gone, or another's by now
        if _is(descriptor, path):
            path.unlink()
        path.parent.rmdir()
    os.close(descriptor)


def clear(store: Path) -> None:
    """Remove the files that killed runs have left."""
    with suppress(OSError):
        for path in _folder(store).iterdir():
            with suppress(OSError):
                _clear(path)
        _folder(store).rmdir()


def _clear(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | _AT_ONCE)
    try:
        if _taken(descriptor, fcntl.LOCK_EX) and _is(descriptor, path):
            path.unlink()
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Tell whether a process, this one or another, holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _AT_ONCE)
    except FileNotFoundError:
        return False
    except OSError as error:
        if isinstance(error, PermissionError):
            return True  # another user's: only he could tell
        if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link or a socket: no run holds such
            return False
        raise
    try:
        return not _taken(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _folder(store: Path) -> Path:
    store = real(store)
    return store.with_name(f"{store.name}-live")


def _taken(descriptor: int, how: int) -> bool:
    """Take a lock of a kind, at once or not at all.

    Where the file system has no locks, a file is its owner's as long as the process lives whose name
    it holds; of a process of another machine, for ever.
    """
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        owner = os.pread(descriptor, 1000, 0).decode(errors="replace")
        if owner and _lives(owner):
            return False
        if how == fcntl.LOCK_EX:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, _name(os.getpid()).encode(), 0)
    return True


def _name(process: int) -> str:
    """Return a name that no other process has: a number is given to another after its end."""
    import psutil

    return f"{process} {psutil.Process(process).create_time():.0f} {socket.gethostname()}"


def _lives(owner: str) -> bool:
    import psutil

    try:
        number, began, where = owner.split(" ", 2)
        if where != socket.gethostname():
            return True
        # To a minute: the clock from which it is told may have been set since.
        return bool(abs(psutil.Process(int(number)).create_time() - float(began)) < 60.0)
    except (ValueError, psutil.NoSuchProcess):
        return False


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _leave_to_parent() -> None:
    """In a child that was forked, close what its parent holds: the parent's lock stays taken."""
    for descriptor in _locks:
        with suppress(OSError):
            os.close(descriptor)
    _locks.clear()
    for holder in list(_marks):
        holder.close()


os.register_at_fork(after_in_child=_leave_to_parent)
