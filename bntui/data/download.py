"""Downloads what torchvision knows the mirrors and checksums of, watched and at any time left."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

from bntui.core.text import reason
from bntui.machine import libraries

POLL_SECONDS = 0.1
STALLED_SECONDS = 30.0
"""A download without a new byte for so long has failed: torchvision itself would wait forever."""


class DownloadError(Exception):
    """A download failed; the message says why, in a few words."""


class Archive(NamedTuple):
    """One file as the mirrors send it, to be unpacked."""

    name: str
    md5: str
    size: int
    """Bytes; only the progress is told by it."""
    mirrors: Sequence[str]
    """The addresses without the name, to be tried one after the other."""


def download(
    archives: Sequence[Archive],
    folder: Path,
    report: Callable[[str], None],
    breathe: Callable[[], None],
) -> None:
    """Download, check and unpack into `folder` with torchvision, on a thread.

    So this one can watch and leave: `report` gets how far it is, and `breathe` may raise. After
    leaving, the thread ends with the file at hand. torchvision draws its bar on stderr. Raises
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
                except Exception as error:  # whatever it is, it belongs on the user's screen
                    failure = error
            else:
                failures.append(failure)
                return

    thread = Thread(target=fetch, daemon=True)
    thread.start()
    try:
        _watch(thread, folder, archives, report, breathe)
    finally:
        leave.set()
    if failures:
        raise DownloadError(reason(failures[0])) from failures[0]


def _watch(
    thread: Thread,
    folder: Path,
    archives: Sequence[Archive],
    report: Callable[[str], None],
    breathe: Callable[[], None],
) -> None:
    expected = sum(archive.size for archive in archives) / 1e6
    size, grew = -1, time.monotonic()
    while thread.is_alive():
        breathe()
        # What is being unpacked grows too, but does not count as downloaded.
        files = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
        now, before = sum(files.values()), size
        if now != before:
            size, grew = now, time.monotonic()
            came = sum(files.get(folder / archive.name, 0) for archive in archives) / 1e6
            report(f"{came:.0f} of {expected:.0f} MB")
        elif time.monotonic() - grew > STALLED_SECONDS:
            raise DownloadError(f"nothing came for {STALLED_SECONDS:.0f} seconds")
        thread.join(POLL_SECONDS)
