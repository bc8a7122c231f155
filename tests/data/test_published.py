"""MNIST, Fashion-MNIST, KMNIST and CIFAR-10 on disk: where they are looked for, and what is read.

Most tests use stand-ins of a few images; those on the real MNIST skip where $BNTUI_DATA doesn't
hold it.
"""

import gzip
import pickle
from pathlib import Path

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
from tests.data.stand_ins import IMAGES, REAL_MNIST, StandIn, complaint, needs_mnist

pytestmark = pytest.mark.usefixtures("home")


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
