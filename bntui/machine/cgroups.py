"""The control groups that this process is in: how a container limits it. No torch."""

from collections.abc import Iterator, Sequence
from pathlib import Path


def words(
    controller: str, root: Path, *, v1: Sequence[str], v2: Sequence[str]
) -> Iterator[list[str]]:
    """Yield the words in some files of each group that limits a controller, `memory` or `cpu`.

    Those above a group limit it as well. `v1` and `v2` name the files in each version of control
    groups; a group that lacks one says nothing. `root` is where proc and sys are found.
    """
    for version, group in _limiting(controller, root):
        try:
            texts = [(group / file).read_text() for file in (v1 if version == 1 else v2)]
        except OSError:
            continue
        yield " ".join(texts).split()


def _limiting(controller: str, root: Path) -> Iterator[tuple[int, Path]]:
    """Yield the version and the folder of each group, from the innermost outwards."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        version = 2 if number == "0" else 1
        if version == 1 and controller not in controllers.split(","):
            continue
        # Of v1 each controller has a folder of its own, or a link to one that it shares.
        top = root / "sys/fs/cgroup" / (controller if version == 1 else "")
        group = top / path.lstrip("/")
        for one in (group, *group.parents):
            yield version, one
            if one == top:
                break
