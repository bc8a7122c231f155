"""Downloads through torchvision, with progress, a time limit and a way to stop."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

from bntui.core.text import reason
from bntui.machine import libraries

POLL_SECONDS = 0.1
STALLED_SECONDS = 30.0
"""A download fails after so long without a new byte: torchvision would wait forever."""


class DownloadError(Exception):
    """A download failed; the message says why, in a few words."""


class ArchiveFile(NamedTuple):
    """A packed file as the mirrors send it."""

    name: str
    md5: str
    size: int
    """Bytes, for the progress alone."""
    mirrors: Sequence[str]
    """The addresses without the file's name, tried in this order."""


def download(
    archives: Sequence[ArchiveFile],
    folder: Path,
    report: Callable[[str], None],
    check_stop: Callable[[], None],
) -> None:
    """Download, check and unpack into `folder` with torchvision, on a second thread.

    The calling thread watches: `report` gets the progress, and `check_stop` may raise to stop. The
    second thread then ends after its current file. torchvision draws its bar on stderr. Raises
    DownloadError.
    """
    with libraries.loading("torchvision"):
        from torchvision.datasets.utils import download_and_extract_archive

    leave = Event()
    failures: list[Exception] = []

    def fetch() -> None:
        for archive in archives:
            for mirror in archive.mirrors:
                if leave.is_set():
                    return
                try:
                    download_and_extract_archive(
                        mirror + archive.name, folder, filename=archive.name, md5=archive.md5
                    )
                    break
                except Exception as error:  # of whatever kind, the user reads its message
                    failure = error
            else:
                failures.append(failure)
                return

    thread = Thread(target=fetch, daemon=True)
    thread.start()
    try:
        _watch(thread, folder, archives, report, check_stop)
    finally:
        leave.set()
    if failures:
        raise DownloadError(reason(failures[0])) from failures[0]


def _watch(
    thread: Thread,
    folder: Path,
    archives: Sequence[ArchiveFile],
    report: Callable[[str], None],
    check_stop: Callable[[], None],
) -> None:
    expected = sum(archive.size for archive in archives) / 1e6
    size, grew = -1, time.monotonic()
    while thread.is_alive():
        check_stop()
        # Unpacked files show that there is progress, but do not count as downloaded.
        files = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
        now, before = sum(files.values()), size
        if now != before:
            size, grew = now, time.monotonic()
            came = sum(files.get(folder / archive.name, 0) for archive in archives) / 1e6
            report(f"{came:.0f} of {expected:.0f} MB")
        elif time.monotonic() - grew > STALLED_SECONDS:
            raise DownloadError(f"nothing came for {STALLED_SECONDS:.0f} seconds")
        thread.join(POLL_SECONDS)
