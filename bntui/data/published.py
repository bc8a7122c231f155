"""Data sets that torchvision knows: where their files are, how they are checked and downloaded."""

import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bntui.core.text import ConfigError, reason
from bntui.data.arrays import Arrays, DataError
from bntui.data.download import ArchiveFile, DownloadError, download
from bntui.machine.places import (
    HOMELESS,
    data_root,
    free_damaged_name,
    given_data_root,
    is_nowhere,
    keep_private,
    make_folder,
)


@dataclass(frozen=True)
class Published(ABC):
    """One data set in files of a format that the subclass reads.

    Every file is checked before it is used: a network would train on a damaged one, and its
    accuracy would be wrong.
    """

    name: str
    """What `--dataset` takes."""
    title: str
    folder: str
    """Its path below the data folder, as torchvision lays it out."""
    class_names: tuple[str, ...]

    @property
    @abstractmethod
    def files(self) -> tuple[str, ...]:
        """The files' names."""

    @abstractmethod
    def parse(self, path: Path, file: str) -> Any:
        """Return the content of `file`, which is at `path`.

        Raises OSError where it can't be read, and ValueError for wrong content. The message follows the
        file's name in a sentence, such as "is damaged, it holds 9 bytes".
        """

    @abstractmethod
    def assemble(self, contents: Sequence[Any]) -> Arrays:
        """Return the data set from what `parse` returned for each of `files`, in their order."""

    @abstractmethod
    def archives(self, missing: Sequence[str]) -> list[ArchiveFile]:
        """Return what to download for the `missing` files. Imports torchvision."""

    def unpacked(self, folder: Path, file: str) -> Path:
        """Return where `file` is after the archives were unpacked in `folder`."""
        return folder / file

    def places(self, place: Path, file: str) -> tuple[Path, ...]:
        """Return where `file` may be in its folder, the best place first."""
        return (place / file,)

    def place(self, data_dir: str | None) -> Path:
        """Return the folder of the files."""
        return data_root(data_dir) / self.folder

    def find(self, place: Path, file: str) -> Path | None:
        """Return where the file is, or None where it is missing.

        A file that can't be reached counts as present, so that reading it reports why.
        """
        for path in self.places(place, file):
            try:
                path.stat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                pass
            return path
        return None

    def check_given(self, data_dir: str | None) -> None:
        """Raise DataError if the user named a folder that lacks the files. Reads no content."""
        if given_data_root(data_dir):
            place = self.place(data_dir)
            for file in self.files:
                if self.find(place, file) is None:
                    raise self._missing(data_dir, file)

    def read(
        self,
        data_dir: str | None,
        report: Callable[[str], None] = lambda _: None,
        check_stop: Callable[[], None] = lambda: None,
    ) -> Arrays:
        """Read the data set from the folder that the user named.

        If none was named, from the user's data directory, and download what is missing there.
        `check_stop` is called before each file and may raise. Raises DataError.
        """
        given = given_data_root(data_dir)
        if not given:
            self._complete(self.place(data_dir), report, check_stop)
        contents = []
        for file in self.files:
            check_stop()
            path = self.find(self.place(data_dir), file)
            if path is None:
                raise self._missing(data_dir, file)
            try:
                contents.append(self.parse(path, file))
            except ConfigError:  # torchvision can't be loaded, so the file was not checked
                raise
            except (OSError, ValueError) as error:
                fault, there = _fault(path, error), True
                if isinstance(error, ValueError) and not given:  # a given folder is not changed
                    fault, there = _set_aside(path, fault)
                if given:
                    cure = (
                        f"name the folder above a whole {self.folder} in --data-dir or BNTUI_DATA"
                    )
                else:
                    first = "remove it and " if there else ""
                    cure = f"{first}ask for --dataset {self.name} again to download it"
                raise _unusable(fault, cure) from error
        return self.assemble(contents)

    def _complete(
        self, place: Path, report: Callable[[str], None], check_stop: Callable[[], None]
    ) -> None:
        """Download the files that are missing: all of them are put in place, or none. Raises DataError."""
        missing = [file for file in self.files if self.find(place, file) is None]
        if not missing:
            return
        if is_nowhere(place):
            raise _unusable(
                f"{self.title} has no place, since {HOMELESS}",
                "name a folder that holds it in --data-dir or BNTUI_DATA",
            )
        try:
            make_folder(place)
            # Files stay in a temporary folder until all are checked: neither a crash nor a second
            # bntui that downloads at the same time can leave half a file under a final name.
            with TemporaryDirectory(
                dir=place, prefix="download-", ignore_cleanup_errors=True
            ) as temporary:
                folder = Path(temporary)
                self._download(missing, folder, report, check_stop)
                for file in missing:
                    check_stop()
                    try:
                        self.parse(self.unpacked(folder, file), file)
                    except ValueError as error:
                        raise self._failed(f"what came as {file} {error}") from error
                for file in missing:
                    keep_private(self.unpacked(folder, file))
                    self.unpacked(folder, file).replace(place / file)
        except OSError as error:
            raise _unusable(
                f"{self.title} can't be written to {place} ({reason(error)})",
                "make room there, name a folder that holds it in --data-dir",
            ) from error

    def _download(
        self,
        missing: Sequence[str],
        folder: Path,
        report: Callable[[str], None],
        check_stop: Callable[[], None],
    ) -> None:
        try:
            download(
                self.archives(missing),
                folder,
                lambda progress: report(f"downloading {self.title}: {progress}"),
                check_stop,
            )
        except DownloadError as error:
            raise self._failed(str(error)) from error

    def _failed(self, why: str) -> DataError:
        return _unusable(
            f"{self.title} can't be downloaded ({why})",
            f"check the network, name a folder that holds {self.title} in --data-dir",
        )

    def _missing(self, data_dir: str | None, file: str) -> DataError:
        root = data_root(data_dir)
        if root.is_dir():
            fault = f"{self.title} is not in {root}, {self.place(data_dir) / file} is missing"
        else:
            state = "is not a folder" if root.exists() else "does not exist"
            fault = f"the data folder {root} {state}"
        cure = self._nearby(root, file)
        return _unusable(
            fault, cure or f"name a folder that holds {self.folder} as torchvision lays it out"
        )

    def _nearby(self, root: Path, file: str) -> str:
        """Return what to do about files in a folder nearby; empty if there are none."""
        try:
            below = [path for path in sorted(root.iterdir()) if path.is_dir()]
        except OSError:
            below = []
        for other in (*root.parents[:2], *below):
            if self.find(other / self.folder, file):
                return f"name {other} instead"
        for other in (root, *below, root / Path(self.folder).parts[0]):
            if self.find(other, file):
                return f"put the files of {other} into {root / self.folder}"
        for place in (root, self.place(str(root))):
            for path in self._related(place):
                if path.suffix == ".npz":
                    return f"give --dataset {path}"
                if path.is_file():
                    return f"unpack {path} first, so that {self.folder} lies in {root}"
                return f"get the edition that torchvision reads instead of {path}"
        return ""

    def _related(self, place: Path) -> list[Path]:
        """Return what in a folder has a name like the data set's and is not part of its layout."""
        try:
            there = sorted(place.iterdir())
        except OSError:
            return []
        own = {*self.files, *Path(self.folder).parts}
        return [
            path
            for path in there
            if path.name not in own and _letters(path.name).startswith(_letters(self.name))
        ]


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _fault(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return f"{path} can't be read ({reason(error)})"
    return f"{path} {error}"


def _set_aside(path: Path, fault: str) -> tuple[str, bool]:
    """Rename a damaged file that bntui downloaded, so that the next start downloads it again.

    Returns the sentence's beginning, and whether the file is still there. Only a regular file is
    renamed: a link to a file elsewhere is the user's.
    """
    name = free_damaged_name(path)
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return fault, True
        path.rename(name)
    except OSError as error:
        return f"{fault} (and can't be set aside, {reason(error)})", True
    return f"{fault} (set aside as {name.name})", False


def _unusable(fault: str, cure: str) -> DataError:
    return DataError(f"{fault}: {cure}, or use --dataset digits (built in).")
