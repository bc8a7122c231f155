"""Every path of ours: where it is, and how files and folders are made there.

No look-up raises: a user may have no name, no home and no temporary directory. What is made is its
owner's alone, whatever the umask.
"""

import getpass
import os
import pwd
import shlex
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EEXIST
from pathlib import Path
from typing import BinaryIO

NOWHERE = Path(os.devnull) / "bntui"
"""In place of the data directory of a user who has none: nothing can be made below a device."""
HOMELESS = "this user has no home directory"
NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER")
"""Variables that hold what the user is called."""
FILE, FOLDER = 0o600, 0o700
"""Modes of what is made."""


def own_folder() -> Path:
    """Return the user's data directory for bntui, `NOWHERE` if the system names none."""
    return _folder("user_data_dir")


def config_path() -> Path:
    """Return where choices are remembered: BNTUI_CONFIG, else a file in the user's configuration directory."""
    given = os.environ.get("BNTUI_CONFIG")
    return _expanded(given) if given else _folder("user_config_dir") / "config.toml"


def store_path() -> Path:
    """Return where runs are kept: BNTUI_STORE, else a file in the user's data directory."""
    given = os.environ.get("BNTUI_STORE")
    return _expanded(given) if given else _default_store()


def attaching(run: str, store: Path) -> str:
    """Return the command that opens a run of this store from any terminal: BNTUI_STORE may not be set there."""
    option = "" if store == _default_store() else f" --store {shlex.quote(str(store.absolute()))}"
    return f"bntui attach {run}{option}"


def given_data_root(data_dir: str | None) -> str | None:
    """Return the folder the user named, by option or by BNTUI_DATA: bntui never writes there."""
    return data_dir or os.environ.get("BNTUI_DATA") or None


def data_root(data_dir: str | None) -> Path:
    """Return the folder in torchvision's layout: the one named, else the user's data directory."""
    given = given_data_root(data_dir)
    return _expanded(given) if given else own_folder()


def reports_folder() -> Path:
    """Return where reports on bugs of ours are kept."""
    return own_folder() / "crashes"


def exports_folder() -> Path:
    """Return where the explorer puts the pictures and tables that are saved with a key."""
    return own_folder() / "exports"


def temporary_folder() -> Path | None:
    """Return where temporary files go; None if they can't be written anywhere."""
    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return None


def has_name() -> bool:
    """Tell whether the system, or the environment, knows what the user is called."""
    try:
        return bool(getpass.getuser())
    except (KeyError, OSError, ImportError):
        return False


def names_and_homes() -> tuple[set[str], set[str]]:
    """Return all that the user is called, and all home directories: by environment and real uid."""
    users = {os.environ.get(name, "") for name in NAMES}
    homes = {os.path.expanduser("~")}  # noqa: PTH111 - Path.home raises where there is none
    with suppress(KeyError, OSError, ImportError):
        users.add(getpass.getuser())
    with suppress(KeyError, OSError):
        entry = pwd.getpwuid(os.getuid())
        users |= {entry.pw_name, entry.pw_gecos.partition(",")[0]}
        homes.add(entry.pw_dir)
    return users - {""}, homes - {"", "~"}


def is_nowhere(path: Path) -> bool:
    """Tell whether a path lies in the data directory of a user who has none."""
    return path.is_relative_to(NOWHERE)


def shown(path: Path) -> str:
    """Return a path as it is told to the user."""
    return "nowhere" if is_nowhere(path) else str(path)


def nearest_folder(path: Path) -> Path:
    """Return the folder that a path lies in, or the nearest above it that is there."""
    return next((above for above in path.parents if above.exists()), Path("/"))


def can_be_made(path: Path) -> bool:
    """Tell whether a file can be made at `path`, with the folders that are missing."""
    there = nearest_folder(path)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing. Raises OSError."""
    if is_nowhere(path):
        raise FileNotFoundError(2, HOMELESS)
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        with suppress(FileExistsError):  # another process was faster
            folder.mkdir(FOLDER)
            keep_private(folder, FOLDER)


def make_file(path: Path) -> None:
    """Make an empty file unless there is one. Raises OSError."""
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE)
        keep_private(descriptor)
        os.close(descriptor)


def keep_private(path: Path | int, mode: int = FILE) -> None:
    """Give a file, or its descriptor, its mode, where the file system has such: umask may have cut it."""
    with suppress(OSError):
        os.chmod(path, mode)  # noqa: PTH101 - also of a descriptor


@contextmanager
def new_file(path: Path, *, over: bool = False) -> Iterator[BinaryIO]:
    """Write a file that has its name only when the block is done; else there is none, or the old one.

    Raises OSError: FileExistsError if something is there and may not be written `over`.
    """
    if not over and os.path.lexists(path):
        raise FileExistsError(EEXIST, os.strerror(EEXIST))
    if over and _is_device(path):
        with path.open("wb") as device:
            yield device
        return
    target = Path(os.path.realpath(path)) if over else path
    descriptor, name = tempfile.mkstemp(prefix=".bntui-", dir=target.parent)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            keep_private(descriptor)
            yield file
            file.flush()
            os.fsync(descriptor)
        if over:
            os.replace(name, target)  # noqa: PTH105
        else:
            _rename_to_free_name(name, target)
    finally:
        Path(name).unlink(missing_ok=True)


def free_damaged_name(path: Path) -> Path:
    """Return a path in the same folder, without a file, to which a damaged file can be renamed."""
    number = 1
    while (free := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return free


def _rename_to_free_name(name: str, target: Path) -> None:
    """Rename a file to a name that nothing may have. Raises OSError."""
    try:
        os.link(name, target)  # unlike a renaming, it fails where something is
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(target):
            raise FileExistsError(EEXIST, os.strerror(EEXIST)) from None
        os.rename(name, target)  # noqa: PTH104


def _is_device(path: Path) -> bool:
    """Tell whether a path means what can't be replaced: a device, a pipe, a descriptor of ours."""
    if str(path.absolute()).startswith(("/dev/", "/proc/")):
        return True
    return path.exists() and not stat.S_ISREG(path.stat().st_mode)


def _folder(kind: str) -> Path:
    """Return one of the user's directories for bntui, by platformdirs' name; `NOWHERE` without one."""
    import platformdirs  # every start of bntui imports this module, and few need the folder

    try:
        folder = Path(getattr(platformdirs, kind)("bntui"))
    except (RuntimeError, OSError, LookupError):
        return NOWHERE
    return folder if folder.is_absolute() else NOWHERE  # some versions return the ~ as it is


def _default_store() -> Path:
    return own_folder() / "runs.sqlite"


def _expanded(path: str) -> Path:
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path's raises for an unknown user
