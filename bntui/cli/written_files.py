"""Files and folders that the command line writes: whole, private, and over nothing unless told so."""

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bntui.core.text import ConfigError
from bntui.machine.places import keep_private, make_folder, new_file

EVENTS = "events.out.tfevents.*"
"""What TensorBoard reads in a folder; it takes several of them for one run."""


def write_out(parts: Iterable[str] | Iterable[bytes]) -> None:
    """Write texts, or bytes, to standard output."""
    for part in parts:
        click.echo(_encoded(part), nl=False)


def write_file(path: Path, parts: Iterable[str] | Iterable[bytes], *, force: bool) -> None:
    """Write a file of texts, or of bytes. Raises ConfigError where there is one, and OSError."""
    try:
        with new_file(path, over=force) as file:
            file.writelines(map(_encoded, parts))
    except FileExistsError:
        raise _exists(path) from None


def write_folder(path: Path, write: Callable[[Path], object], *, force: bool) -> None:
    """Let `write` fill a folder with TensorBoard's files, and move them to `path`.

    Raises ConfigError where such files are in the same folders already, and OSError.
    """
    make_folder(path.parent)
    with TemporaryDirectory(prefix=".bntui-", dir=path.parent) as folder:
        made = Path(folder)
        write(made)
        files = {file: path / file.relative_to(made) for file in made.rglob("*") if file.is_file()}
        folders = {target.parent for target in files.values()}
        there = {old for one in folders if one.is_dir() for old in one.glob(EVENTS)}
        if there and not force:
            raise _exists(path)
        for file, target in files.items():
            make_folder(target.parent)
            keep_private(file)
            file.rename(target)
    for old in there - set(files.values()):  # TensorBoard would show both as one
        old.unlink()


def _encoded(part: str | bytes) -> bytes:
    return part.encode("utf-8", "backslashreplace") if isinstance(part, str) else part


def _exists(path: Path) -> ConfigError:
    return ConfigError(f"{path} exists: give another name with --to, or --force to overwrite it.")
