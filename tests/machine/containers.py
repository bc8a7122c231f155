"""A folder with the proc and sys of a process in control groups."""

from collections.abc import Mapping
from pathlib import Path


def contained(root: Path, lines: str, files: Mapping[str, str]) -> None:
    """Make the files: `lines` of proc/self/cgroup, and each of `files` by its path in sys/fs/cgroup."""
    (root / "proc/self").mkdir(parents=True, exist_ok=True)
    (root / "proc/self/cgroup").write_text(f"{lines}\n")
    for name, text in files.items():
        file = root / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
