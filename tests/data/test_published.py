"""MNIST, Fashion-MNIST, KMNIST and CIFAR-10 on disk, whole and damaged.

Most tests use stand-ins of a few images; those on the real MNIST skip where $BNTUI_DATA doesn't
hold it.
"""

import gzip
import os
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision.datasets

from bntui.core.parsers import PUBLISHED
from bntui.data import sources
from bntui.data.built_in import DIGITS
from bntui.data.cifar import CIFAR10
from bntui.data.idx import FASHION_MNIST, KMNIST, MNIST
from bntui.data.sources import mnist_on_disk
from bntui.machine.places import data_root
from tests.data.loading import assert_standardised, files_under, load
from tests.data.stand_ins import (
    IMAGES,
    REAL_MNIST,
    StandIn,
    cifar_stand_in,
    complaint,
    idx_stand_in,
    needs_mnist,
)
from tests.no_files import NO_FILES
from tools.faults import Fault

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(params=[FASHION_MNIST, KMNIST], ids=["fashion", "kmnist"])
def unsigned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> StandIn:
    """Return a data set of which no checksum is known once it is unpacked."""
    return idx_stand_in(request.param, tmp_path / "given", monkeypatch)


@pytest.fixture
def cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    return cifar_stand_in(tmp_path / "given", monkeypatch)


def test_the_root_is_named_or_the_user_s(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_root(None) == home
    monkeypatch.setenv("BNTUI_DATA", "/from/environment")
    assert data_root(None) == Path("/from/environment")
    assert data_root("/from/option") == Path("/from/option")
    assert data_root("~/data") == Path.home() / "data"


def test_folders_are_those_of_torchvision() -> None:
    for known in (MNIST, FASHION_MNIST, KMNIST):
        torchvisions = getattr(torchvision.datasets, known.torchvision)
        root = torchvisions.__new__(torchvisions)
        root.root = "/root"
        assert Path("/root") / known.folder == Path(root.raw_folder)
        assert {f"{file}.gz" for file in known.files} == {name for name, _ in root.resources}
    theirs = torchvision.datasets.CIFAR10
    assert CIFAR10.folder == theirs.base_folder
    assert CIFAR10.files == tuple(name for name, _ in theirs.train_list + theirs.test_list)


def test_class_names_are_torchvision_s_but_for_the_capitals() -> None:
    theirs = tuple(torchvision.datasets.FashionMNIST.classes)
    assert [name.lower() for name in FASHION_MNIST.class_names] == [name.lower() for name in theirs]
    assert KMNIST.class_names == tuple(torchvision.datasets.KMNIST.classes)


@pytest.mark.parametrize("by", ["option", "environment"])
def test_it_is_read_and_its_folder_left_alone(
    by: str, any_of_them: StandIn, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_under(any_of_them.root)
    if by == "environment":
        monkeypatch.setenv("BNTUI_DATA", str(any_of_them.root))
    dataset = load(any_of_them.name, data_dir=str(any_of_them.root) if by == "option" else None)
    assert (dataset.name, dataset.classes) == (any_of_them.name, 10)
    assert dataset.class_names == any_of_them.known.class_names
    assert_standardised(dataset, any_of_them.arrays())
    assert files_under(any_of_them.root) == before
    assert not home.exists()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_mnist_s_images_are_what_the_files_hold(packed: bool, mnist: StandIn) -> None:
    images, labels = (mnist.place / file for file in MNIST.files[:2])
    pixels = np.frombuffer(images.read_bytes()[16:], np.uint8).reshape(-1, 28, 28)
    classes = np.frombuffer(labels.read_bytes()[8:], np.uint8)
    if packed:
        for path in mnist.place.iterdir():
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    assert mnist_on_disk(str(mnist.root))
    arrays = mnist.arrays()
    np.testing.assert_array_equal(arrays.train_images, pixels)
    np.testing.assert_array_equal(arrays.train_labels, classes)
    assert (len(arrays.train_images), len(arrays.validation_images)) == (20, 10)


def test_cifar_s_images_are_red_green_and_blue_planes_in_a_row(cifar: StandIn) -> None:
    arrays = cifar.arrays()
    assert arrays.train_images.shape == (5 * IMAGES, 32, 32, 3)
    assert arrays.train_labels.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]
    assert arrays.validation_labels.tolist() == [5, 4]
    content = (cifar.place / "data_batch_3").read_bytes()
    second = pickle.loads(content)["data"][1]
    for channel, row, column in ((0, 0, 0), (1, 2, 31), (2, 31, 7)):
        expected = second[1024 * channel + 32 * row + column]
        assert arrays.train_images[5, row, column, channel] == expected


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path, at: int | None = None) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 1
    path.write_bytes(content)


def gz(path: Path, damage: Callable[[Path], object]) -> None:
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    damage(packed)


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def html(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html>sign in to the network</html>")


def replaced(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


def keep_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[-9:])


def bomb(path: Path) -> None:
    """Pack zeros without end, and claim the right size at the end."""
    claim = path.stat().st_size.to_bytes(4, "little")
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(bytes(50_000_000))[:-4] + claim)
    path.unlink()


@pytest.mark.parametrize("file", MNIST.files[1:3], ids=["labels", "images"])
@pytest.mark.parametrize(
    ("damage", "words", "right_size"),
    [
        (Path.unlink, "is missing", False),
        (cut, "bytes instead of", False),
        (empty, "holds 0 bytes", False),
        (flip, "SHA-256", True),
        (folder, "can't be read (Is a directory)", False),
        (html, "is a page of HTML and not MNIST's", False),
        *(
            (replaced(make), f"(it is a {kind} and no file)", False)
            for kind, make in NO_FILES.items()
        ),
        (loop, "can't be read (Too many levels", False),
        (partial(gz, damage=cut), "bytes instead of", False),
        (partial(gz, damage=empty), "holds 0 bytes", False),
        (partial(gz, damage=flip), "is damaged", True),
        (partial(gz, damage=keep_end), "holds 9 bytes instead of", False),
        *(
            (partial(gz, damage=replaced(make)), f"(it is a {kind} and no file)", False)
            for kind, make in NO_FILES.items()
        ),
        (bomb, "is damaged", True),
    ],
)
def test_every_fault_of_mnist_is_named(
    file: str, damage: Callable[[Path], None], words: str, right_size: bool, mnist: StandIn
) -> None:
    path = mnist.place / file
    damage(path)
    text = complaint(mnist, data_dir=str(mnist.root))
    assert words in text
    assert str(path) in text
    assert mnist_on_disk(str(mnist.root)) is right_size


@pytest.mark.parametrize(
    ("file", "damage", "words"),
    [
        (0, Path.unlink, "is missing"),
        (0, cut, "bytes instead of"),
        (0, partial(flip, at=3), "header"),
        (2, partial(flip, at=7), "header"),
        (1, partial(flip, at=1), "header"),
        (1, lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\x0a"), "holds the label 10"),
        (3, partial(gz, damage=partial(flip, at=20)), "is damaged"),
        (0, partial(gz, damage=partial(flip, at=-6)), "not a whole gzip"),  # in its checksum
        (3, folder, "can't be read (Is a directory)"),
        (2, html, "is a page of HTML and not "),
    ],
)
def test_without_a_checksum_header_and_labels_are_checked(
    file: int, damage: Callable[[Path], object], words: str, unsigned: StandIn
) -> None:
    path = unsigned.place / unsigned.known.files[file]
    damage(path)
    text = complaint(unsigned, data_dir=str(unsigned.root))
    assert words in text
    assert str(path) in text
    assert unsigned.known.title in text or unsigned.known.folder in text


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (Path.unlink, "is missing"),
        (cut, "MD5"),
        (flip, "MD5"),
        (empty, "MD5"),
        (folder, "can't be read (Is a directory)"),
        (loop, "can't be read (Too many levels"),
        (html, "is a page of HTML and not CIFAR-10's"),
        *((replaced(make), f"(it is a {kind} and no file)") for kind, make in NO_FILES.items()),
        (lambda path: os.truncate(path, 50_000_001), "larger than"),
    ],
)
def test_every_fault_of_cifar_is_named(
    damage: Callable[[Path], object], words: str, cifar: StandIn
) -> None:
    path = cifar.place / "data_batch_4"
    damage(path)
    text = complaint(cifar, data_dir=str(cifar.root))
    assert words in text
    assert str(path) in text


class Intruder:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def test_nothing_is_unpickled_without_torchvision_s_checksum(cifar: StandIn) -> None:
    trace = cifar.root / "trace"
    (cifar.place / "test_batch").write_bytes(pickle.dumps(Intruder(trace)))
    complaint(cifar, data_dir=str(cifar.root))
    assert not trace.exists()


@pytest.mark.fault("a downloaded file is damaged", injected="its end cut off")
def test_damage_in_our_own_folder_is_set_aside_for_the_next_download(
    mnist: StandIn, home: Path, fault: Fault
) -> None:
    mnist.root.rename(home)
    path = home / MNIST.folder / MNIST.files[0]
    cut(path)
    damaged = path.read_bytes()
    said = complaint("mnist")
    assert "ask for --dataset mnist again to download it" in said
    assert not path.exists()
    assert path.with_name(f"{path.name}.damaged-1").read_bytes() == damaged
    fault.saw = said.replace(str(home), "…")
    fault.lost = "nothing; the next start downloads it again"


@pytest.mark.fault(
    "a page of HTML in the place of a data file", injected="what a network's sign-in page sends"
)
def test_a_page_of_html_is_called_one_and_set_aside(
    mnist: StandIn, home: Path, fault: Fault
) -> None:
    mnist.root.rename(home)
    html(home / MNIST.folder / MNIST.files[0])
    said = complaint("mnist")
    assert "is a page of HTML and not MNIST's (set aside as " in said
    assert "damaged," not in said
    fault.saw = said.replace(str(home), "…")
    fault.lost = "nothing; the next start downloads it again"


@pytest.mark.parametrize("damage", [folder, loop, *map(replaced, NO_FILES.values())])
def test_what_is_no_file_in_our_own_folder_is_left_there_and_so_it_is_said(
    damage: Callable[[Path], object], mnist: StandIn, home: Path
) -> None:
    mnist.root.rename(home)
    damage(home / MNIST.folder / MNIST.files[0])
    before = files_under(home)
    assert "remove it and ask for --dataset mnist again" in complaint("mnist")
    assert files_under(home) == before


def test_a_link_to_a_damaged_file_is_left_there_and_so_is_the_file(
    mnist: StandIn, home: Path, tmp_path: Path
) -> None:
    mnist.root.rename(home)
    path = home / MNIST.folder / MNIST.files[0]
    cut(path)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "is damaged, it holds 15,695 bytes" in (said := complaint("mnist"))
    assert "remove it and ask for --dataset mnist again" in said
    assert path.is_symlink()
    assert (tmp_path / "elsewhere").exists()


NAMES = ("train-images.idx3-ubyte", "train.images.idx3.ubyte", "Train_Images_idx3_ubyte")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("name", [*NAMES, *(f"{name}.gz" for name in NAMES), MNIST.files[0]])
def test_a_file_may_be_called_otherwise_and_packed_whatever_its_name(
    name: str, packed: bool, mnist: StandIn
) -> None:
    expected = mnist.arrays().train_images
    path = mnist.place / MNIST.files[0]
    content = path.read_bytes()
    path.unlink()
    (mnist.place / name).write_bytes(gzip.compress(content) if packed else content)
    assert mnist_on_disk(str(mnist.root))
    np.testing.assert_array_equal(mnist.arrays().train_images, expected)


@pytest.mark.parametrize("inside", [MNIST.files[1], "train-labels.idx1-ubyte"])
def test_a_file_may_lie_in_a_folder_of_its_name(inside: str, mnist: StandIn) -> None:
    expected = mnist.arrays().train_labels
    path = mnist.place / MNIST.files[1]
    path.rename(mnist.place / "moved")
    path.mkdir()
    (mnist.place / "moved").rename(path / inside)
    np.testing.assert_array_equal(mnist.arrays().train_labels, expected)


def test_data_that_lie_close_to_where_they_were_looked_for_are_named(
    any_of_them: StandIn, tmp_path: Path
) -> None:
    name, root, place = any_of_them.name, any_of_them.root, any_of_them.place
    for given in (place, place.parent):
        if given != root:
            assert f"name {root} instead" in complaint(name, data_dir=str(given))
    assert f"name {root} instead" in complaint(name, data_dir=str(tmp_path))
    flat = tmp_path / "flat"
    flat.mkdir()
    place.rename(flat / "data")
    for given in (flat, flat / "data"):
        said = complaint(name, data_dir=str(given))
        assert f"put the files of {flat / 'data'} into {given / any_of_them.known.folder}" in said


@pytest.mark.parametrize(
    ("dataset", "name", "words"),
    [
        ("cifar10", "cifar-10-python.tar.gz", "unpack {}"),
        ("cifar10", "cifar-10-batches-bin", "get the edition that torchvision reads instead of {}"),
        ("mnist", "mnist.npz", "give --dataset {}"),
        ("fashion-mnist", "Fashion_MNIST.zip", "unpack {}"),
    ],
)
def test_other_forms_of_the_data_are_named(
    dataset: str, name: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(b"") if "." in name else path.mkdir()
    assert words.format(path) in complaint(dataset, data_dir=str(tmp_path))


def test_damage_in_a_folder_of_the_users_is_left_where_it_is(mnist: StandIn) -> None:
    path = mnist.place / MNIST.files[0]
    cut(path)
    damaged = path.read_bytes()
    assert "damaged" in complaint("mnist", data_dir=str(mnist.root))
    assert path.read_bytes() == damaged
    assert not list(mnist.place.glob("*.damaged-*"))


@pytest.mark.parametrize("name", PUBLISHED)
def test_folder_that_is_none(name: str, tmp_path: Path) -> None:
    there, file, other = tmp_path / "nowhere", tmp_path / "file", tmp_path / "empty"
    file.touch()
    other.mkdir()
    assert f"{there} does not exist" in complaint(name, data_dir=str(there))
    assert not there.exists()
    assert f"{file} is not a folder" in complaint(name, data_dir=str(file))
    assert "is missing" in complaint(name, data_dir=str(other))
    assert f"holds {sources.PUBLISHED_SETS[name].folder} " in complaint(name, data_dir=str(other))
    assert "can't be read (File name too long)" in complaint("mnist", data_dir="x" * 5000)
    assert not any(map(mnist_on_disk, [str(there), str(file), "x" * 5000]))


def test_cancelling_a_reading(any_of_them: StandIn) -> None:
    def check_stop() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        load(any_of_them.name, data_dir=str(any_of_them.root), check_stop=check_stop)


# The real MNIST


@needs_mnist
def test_mnist_has_sixty_thousand_images_and_its_known_mean() -> None:
    mnist = load("mnist", data_dir=REAL_MNIST)
    assert (len(mnist.train), len(mnist.validation), mnist.classes) == (60_000, 10_000, 10)
    assert mnist.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    black = mnist.train.images.min().item()
    assert black == pytest.approx(-0.1306604762738429 / 0.3081078038564622, abs=1e-5)
    assert mnist.train.images.mean().item() == pytest.approx(0, abs=1e-5)
    assert mnist.train.images.std().item() == pytest.approx(1, abs=1e-5)


@needs_mnist
def test_digits_are_mnists_training_images() -> None:
    digits, mnist = DIGITS.read(), MNIST.read(REAL_MNIST)
    labels = {
        image.tobytes(): label
        for image, label in zip(mnist.train_images[:5848], mnist.train_labels, strict=False)
    }
    for images, expected in (
        (digits.train_images, digits.train_labels),
        (digits.validation_images, digits.validation_labels),
    ):
        assert [labels[image.tobytes()] for image in images] == expected.tolist()


@needs_mnist
def test_one_flipped_bit_of_mnist_is_found(tmp_path: Path) -> None:
    raw = tmp_path / MNIST.folder
    raw.mkdir(parents=True)
    for file in MNIST.files:
        (raw / file).symlink_to(Path(str(REAL_MNIST)) / MNIST.folder / file)
    damaged = raw / MNIST.files[0]
    content = damaged.read_bytes()
    damaged.unlink()
    damaged.write_bytes(content)
    flip(damaged)
    assert mnist_on_disk(str(tmp_path))
    assert f"{damaged} is damaged" in complaint("mnist", data_dir=str(tmp_path))
