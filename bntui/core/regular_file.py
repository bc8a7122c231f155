"""Opens what the user names only where it is a file: a pipe would wait forever, a device never end."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

SPECIAL_FILES = (
    (stat.S_ISFIFO, "it is a pipe and no file"),
    (stat.S_ISSOCK, "it is a socket and no file"),
    (stat.S_ISCHR, "it is a device and no file"),
    (stat.S_ISBLK, "it is a device and no file"),
)


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read its bytes, following links. Raises OSError, also for what is no file.

    Never waits: what is no file is not opened, nor read where it was put there in between.
    """
    _judge(os.stat(path), path)  # noqa: PTH116 - opening a device can already do something
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _judge(os.fstat(descriptor), path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _judge(status: os.stat_result, path: Path) -> None:
    """Raise OSError for what is no regular file."""
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    for kind, words in SPECIAL_FILES:
        if kind(status.st_mode):
            raise OSError(errno.EINVAL, words, str(path))
