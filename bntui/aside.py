"""Where a damaged file goes: beside its place, under a name that says so."""

from pathlib import Path


def aside(path: Path) -> Path:
    """Return a name for a damaged file that is free."""
    number = 1
    while (free := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return free
