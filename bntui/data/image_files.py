"""Which files of a folder are the images of which class and split, and which are left out.

Nothing is left out in silence: files that are no readable images are counted and reported, and a
class with many of them is refused.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bntui.core import file_kinds
from bntui.core.text import printable
from bntui.data.arrays import DataError, check_classes, depths

TRAIN, TEST = "train", "test"
ROLES = {
    TRAIN: (TRAIN, "training", "trainset", "trn"),
    TEST: (TEST, "testing", "testset", "tst", "val", "valid", "validation", "valset", "eval"),
}
"""Names for the folders of the two splits, the best one first; capitals do not matter."""
KEPT_FOR_TRAINING = 0.8
SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pbm", ".pgm", ".ppm"),
    *(".apng", ".dib", ".jfif", ".jpe", ".pnm"),
}
"""A file with such a name must be an image; another file is one if its first bytes say so."""
SYSTEM = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin"}
"""Names, in small letters, that operating systems leave in folders, as they do names with a dot first."""
MOST_LEFT_OUT = 0.2
"""The largest share of a class's files that may be no images: more were meant to be images."""
LIKE = 0.7
"""Similarity (difflib's) from which a name counts as a misspelling of a known one."""


class Labelled(NamedTuple):
    """Files with their labels, which are indices into the list of classes."""

    paths: list[Path]
    labels: NDArray[np.int64]

    def at(self, places: NDArray[np.intp]) -> "Labelled":
        """Return the files and labels at `places`, in that order."""
        return Labelled([self.paths[place] for place in places], self.labels[places])


class Inside(NamedTuple):
    """What is directly in a folder, sorted by name."""

    folders: list[Path]
    files: list[Path]
    systems: list[Path]
    """Hidden files and those of the operating system: never images."""


@dataclass(slots=True)
class LeftOut:
    """The files that are not read."""

    root: Path
    systems: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)

    def words(self) -> str:
        """Return a sentence with the number of files of each kind and an example; empty for none."""
        parts = [
            f"{len(found):,} {what}, such as {printable(str(found[0].relative_to(self.root)))}"
            for found, what in (
                (self.others, "that can't be used"),
                (self.systems, "hidden or of the system"),
            )
            if found
        ]
        return f"Left out: {'; '.join(parts)}." if parts else ""


class Listing(NamedTuple):
    """The files of a data set in a folder, before any image is read."""

    names: tuple[str, ...]
    """The classes' names, in the order of their labels."""
    train: Labelled
    validation: Labelled
    notice: str
    """What was decided and the user should know, in sentences."""


def listing(root: Path, check_stop: Callable[[], None]) -> Listing:
    """Return the classes of a folder, and the files of both splits.

    `check_stop` is called before each folder of a class and may raise. Raises DataError, and OSError
    for a folder that can't be read.
    """
    left = LeftOut(root)
    given, root = root, _innermost(root, left)
    inside = _inside(root)
    left.systems += inside.systems
    roles = _roles(root, inside.folders)
    within = roles.get(TRAIN, root)
    classes = inside.folders
    if roles:
        for other in inside.folders:
            if other not in roles.values():
                left.others += _all_files(other, left, check_stop)
        left.others += inside.files
        classes = _of_split(within, left)
    else:
        _check_beside(root, inside)
        left.others += inside.files
    check_classes(f"{within} (a folder for each)", len(classes))
    if not roles:
        _check_meaning(root, classes)
    names = [folder.name for folder in classes]
    files = _files(classes, names, left, check_stop)
    notices = [f"The data are those in {printable(str(root))}."] if root != given else []
    if roles:
        others = _of_split(roles[TEST], left)
        if not others:
            raise DataError(f"{roles[TEST]} holds no folders: give one for each class.")
        for strange in (folder for folder in others if folder.name not in names):
            near = get_close_matches(strange.name, names, 1, LIKE)
            cure = f", or call it {near[0]}" if near else ""
            raise DataError(f"{strange} is a class that {within} lacks: add it there{cure}.")
        train, validation = files, _files(others, names, left, check_stop)
        if {folder.name for folder in roles.values()} != {TRAIN, TEST}:
            notices.append(
                f"Trained on {printable(within.name)}, validated on {printable(roles[TEST].name)}."
            )
    else:
        deep = depths(files.labels) > KEPT_FOR_TRAINING
        train, validation = files.at(np.flatnonzero(~deep)), files.at(np.flatnonzero(deep))
        if not validation.paths:
            raise DataError(f"{root} holds too few images to keep some for validation: add some.")
        notices.append(
            f"{printable(root.name)} has no folders {TRAIN} and {TEST}: one image in five of each class "
            f"is kept for validation, {len(validation.paths):,} in all."
        )
    notice = " ".join(filter(None, [*notices, left.words()]))
    return Listing(tuple(map(printable, names)), train, validation, notice)


def _inside(folder: Path) -> Inside:
    found = Inside([], [], [])
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith(".") or entry.name.lower() in SYSTEM:
                kind = found.systems
            else:
                kind = found.folders if _is_folder(entry) else found.files
            kind.append(folder / entry.name)
    return found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or closed to us
        return False


def _innermost(root: Path, left: LeftOut) -> Path:
    """Return the folder with the classes or splits: unpacked archives often add folders around it."""
    while True:
        inside = _inside(root)
        if len(inside.folders) != 1 or _role(inside.folders[0].name):
            return root
        (only,) = inside.folders
        if _any_image(inside.files) or only.is_symlink() or not _inside(only).folders:
            return root
        left.systems += inside.systems
        left.others += inside.files
        root = only


def _role(name: str) -> tuple[str, int] | None:
    """Return the split that a folder's name means, and the name's rank, 0 for the best; None for no split."""
    words = re.split("[^a-z]+", name.lower())
    for role, known in ROLES.items():
        for rank, word in enumerate(known):
            if word in words:
                return role, 2 * rank + (name.lower() != word)
    return None


def _roles(root: Path, folders: Sequence[Path]) -> dict[str, Path]:
    """Return the folders of both splits, or an empty dictionary if there is neither.

    A folder with images and no folders is a class, whatever its name: "train" may mean locomotives.
    Raises DataError for one split without the other.
    """
    found: dict[str, list[tuple[int, Path]]] = {}
    for folder in folders:
        if (meant := _role(folder.name)) and not _is_class(folder):
            found.setdefault(meant[0], []).append((meant[1], folder))
    roles = {role: min(candidates)[1] for role, candidates in found.items()}
    if len(roles) != 1:
        return roles
    ((role, there),) = roles.items()
    lacking = TEST if role == TRAIN else TRAIN
    others = [folder for folder in folders if folder != there]
    for other in others:
        if (its := _role(other.name)) and its[0] == lacking:
            raise DataError(
                f"{other} holds images and no folders: give one for each class, as in {there}."
            )
    near = next((other for other in others if _like(other.name, lacking)), None)
    cure = f"call {near} {lacking}, if you mean that" if near else "give both"
    raise DataError(
        f"{root} holds a folder {there.name} and no {lacking}: {cure}, or name {there} to have one "
        "image in five kept for validation."
    )


def _is_class(folder: Path) -> bool:
    inside = _inside(folder)
    return _any_image(inside.files) and not inside.folders


def _like(name: str, role: str) -> bool:
    return bool(get_close_matches(name.lower(), ROLES[role], 1, LIKE))


def _check_meaning(root: Path, folders: Sequence[Path]) -> None:
    """Raise DataError where the folders are splits with unusual names, and their folders the classes."""
    empty = [folder for folder in folders if not _holds_images(folder)]
    within = {folder: {path.name for path in _inside(folder).folders} for folder in empty}
    for one, other in combinations(empty[:50], 2):
        if len(shared := sorted(within[one] & within[other])) > 1:
            cure = f"lay them out as {TRAIN}/CLASS and {TEST}/CLASS"
            if not _role(shared[0]):
                cure = f"call them {TRAIN} and {TEST}, if you mean that"
            raise DataError(
                f"{root} holds {one.name} and {other.name}, which are no classes, for both hold the "
                f"folders {shared[0]} and {shared[1]}: {cure}."
            )


def _check_beside(root: Path, inside: Inside) -> None:
    """Raise DataError for a folder with files and no folders: another layout or format of data."""
    if inside.folders or not inside.files:
        return
    one = inside.files[0]
    archives = [path for path in inside.files if path.suffix.lower() == ".npz"]
    if archives:
        raise DataError(f"{root} holds 0 classes: give {archives[0]}, if you mean that.")
    what = next((words for path in inside.files[:20] if (words := file_kinds.known_at(path))), "")
    if "IDX" in what or any("idx" in path.name for path in inside.files):
        cure = "give --dataset mnist and, in --data-dir, the folder above MNIST/raw"
    elif any(path.name.startswith("data_batch") for path in inside.files):
        cure = "give --dataset cifar10 and, in --data-dir, the folder above this one"
    else:
        cure = "give a folder for each class"
    raise DataError(
        f"{root} holds 0 classes (a folder for each) and {len(inside.files):,} files, such as "
        f"{one.name}{f' ({what})' if what else ''}: {cure}."
    )


def _of_split(split: Path, left: LeftOut) -> list[Path]:
    """Return the folders of the classes in the folder of a split. Raises DataError for images beside them."""
    inside = _inside(split)
    left.systems += inside.systems
    left.others += inside.files
    images = [path for path in inside.files if _is_image(path)]
    if inside.folders and images:
        raise DataError(
            f"{images[0]} lies beside the folders of the classes, as do {len(images) - 1:,} more "
            "images: move them into one."
        )
    return inside.folders


def _files(
    folders: Sequence[Path], names: Sequence[str], left: LeftOut, check_stop: Callable[[], None]
) -> Labelled:
    paths, labels = [], []
    for folder in folders:
        images, others = list[Path](), list[Path]()
        for path in _all_files(folder, left, check_stop):
            (images if _is_image(path) else others).append(path)
        _check_share(folder, images, others)
        left.others += others
        paths += images
        labels += [names.index(folder.name)] * len(images)
    return Labelled(paths, np.array(labels, np.int64))


def _check_share(folder: Path, images: Sequence[Path], others: Sequence[Path]) -> None:
    """Raise DataError where a class has no images, or too large a share of its files are none."""
    stems = {path.with_suffix("") for path in images}
    lost = [path for path in others if path.with_suffix("") not in stems]  # not 7.txt beside 7.png
    if images and len(lost) <= max(1, MOST_LEFT_OUT * (len(images) + len(lost))):
        return
    found = ""
    if others:
        one = (lost or others)[0]
        what = file_kinds.known_at(one)
        found = f"such as {one.relative_to(folder)}{f', which is {what}' if what else ''}"
    if images:
        raise DataError(
            f"{len(lost):,} of {len(lost) + len(images):,} files in {folder} are no images that can "
            f"be read, {found}: save them as PNG or JPEG, or move them elsewhere."
        )
    among = f" among {len(others):,} files, {found}" if found else ""
    raise DataError(
        f"{folder} holds no images{among}: add some as PNG or JPEG, or remove the folder."
    )


def _all_files(folder: Path, left: LeftOut, check_stop: Callable[[], None]) -> Iterator[Path]:
    """Yield all files below a folder; each folder is entered once, even if links lead to it again."""
    seen, waiting = set[tuple[int, int]](), [folder]
    while waiting:
        check_stop()
        at = waiting.pop()
        status = os.stat(at)  # noqa: PTH116 - follows links
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        inside = _inside(at)
        left.systems += inside.systems
        waiting += reversed(inside.folders)
        yield from inside.files


def _holds_images(folder: Path) -> bool:
    return _any_image(_inside(folder).files)


def _any_image(files: Iterable[Path]) -> bool:
    return any(path.suffix.lower() in SUFFIXES for path in files)


def _is_image(path: Path) -> bool:
    """Tell whether a file is an image by its name or its first bytes."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        return bool(file_kinds.image_format(file_kinds.head(path)))
    except OSError:  # a pipe, a link to nowhere, or closed to us: left out and counted
        return False
