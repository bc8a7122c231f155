"""A folder of images for each class: what it may hold."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

import numpy as np
import psutil
import pytest
from PIL import Image

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.regular_file import open_regular
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.core.text import ConfigError
from bntui.data import folder
from bntui.data.sources import read
from bntui.train.session import Session
from tests.data.folders import CLASSES, COLOURS, HEIGHT, WIDTH, fill, given, stored
from tests.data.loading import assert_standardised, load, sentence
from tests.train.sessions import snapshot_of

pytestmark = pytest.mark.usefixtures("home")


def test_train_and_test(root: Path) -> None:
    arrays = read(str(root))
    assert arrays.train_images.shape == (30, HEIGHT, WIDTH)
    assert given(arrays.train_images, arrays.train_labels) == stored(root / "train")
    assert given(arrays.validation_images, arrays.validation_labels) == stored(root / "test")
    dataset = load(str(root))
    assert (dataset.name, dataset.class_names, dataset.notice) == ("own", CLASSES, "")
    assert dataset.train.images.shape == (30, 1, HEIGHT, WIDTH)
    assert_standardised(dataset, arrays)


def test_classes_alone_are_split_and_it_is_said(root: Path) -> None:
    train = root / "train"
    arrays = read(str(train))
    assert (len(arrays.train_labels), len(arrays.validation_labels)) == (24, 6)
    assert np.bincount(arrays.train_labels).tolist() == [8, 8, 8]
    assert np.bincount(arrays.validation_labels).tolist() == [2, 2, 2]
    both = given(
        np.concatenate([arrays.train_images, arrays.validation_images]),
        np.concatenate([arrays.train_labels, arrays.validation_labels]),
    )
    assert both == stored(train)
    assert "one image in five" in arrays.notice
    assert "6 in all" in arrays.notice
    again = read(str(train))
    np.testing.assert_array_equal(arrays.validation_images, again.validation_images)
    assert load(str(train)).notice == arrays.notice


def test_a_run_says_how_the_data_were_split_and_what_else_was_decided(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (tmp_path / "own" / name).mkdir(parents=True)
        for number in range(20):
            image = Image.fromarray(rng.integers(0, 256, (28, 28), np.uint8))
            image.save(tmp_path / "own" / name / f"{number}.png")
    config = RunConfig(dataset=str(tmp_path / "own"), width=1 / 32, knobs=Knobs(batch_size=64))
    session = Session(RunRequest(config, Observation()))
    session.train_once(None)
    snapshot = snapshot_of(session, Phase.RUNNING)
    assert "one image in five of each class is kept for validation, 12 in all." in snapshot.message
    assert "clipped to 48." in snapshot.message
    facts = snapshot.facts
    assert facts
    assert (facts.dataset, facts.class_names, facts.train) == ("own", CLASSES, 48)
    assert snapshot.config.dataset == str(tmp_path / "own")
    assert snapshot.validation
    assert len(snapshot.validation.running.predicted) == 3


def test_images_are_mixed_though_they_lie_class_by_class(root: Path) -> None:
    arrays = read(str(root))
    assert sorted(arrays.train_labels[:6]) == [0, 0, 1, 1, 2, 2]
    assert sorted(arrays.validation_labels[:6]) == [0, 0, 1, 1, 2, 2]


def test_train_size_keeps_part_of_every_class_and_reads_no_others(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = list[str]()
    real = open_regular

    def spy(path: Path) -> BinaryIO:
        opened.append(str(path))
        return real(path)

    monkeypatch.setattr(folder, "open_regular", spy)
    arrays = read(str(root), train_size=15)
    assert np.bincount(arrays.train_labels).tolist() == [5, 5, 5]
    assert len({path for path in opened if f"{os.sep}train{os.sep}" in path}) == 15
    with pytest.raises(ConfigError, match=r"train size 31 .* own has 30 training images"):
        read(str(root), train_size=31)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".tif", ".pgm"])
def test_other_formats_without_loss(tmp_path: Path, suffix: str) -> None:
    root = fill(tmp_path, suffix=suffix)
    pixels = np.asarray(Image.open(root / "dog" / f"004{suffix}"))
    arrays = read(str(root))
    assert pixels.tobytes() in {
        image.tobytes() for image in (*arrays.train_images, *arrays.validation_images)
    }


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp", ".gif"])
def test_other_formats_with_loss(tmp_path: Path, suffix: str) -> None:
    for name, colour in COLOURS.items():
        (tmp_path / name).mkdir()
        for number in range(5):
            Image.new("RGB", (WIDTH, HEIGHT), colour).save(tmp_path / name / f"{number}{suffix}")
    arrays = read(str(tmp_path))
    assert arrays.train_images.shape[1:] == (HEIGHT, WIDTH, 3)
    for image, label in zip(arrays.train_images, arrays.train_labels, strict=True):
        np.testing.assert_allclose(image.mean((0, 1)), COLOURS[CLASSES[label]], atol=6)


def test_one_image_in_colour_makes_all_of_them_rgb(root: Path) -> None:
    grey = read(str(root))
    red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    red[..., 0] = 255
    Image.fromarray(red).save(root / "train" / "cat" / "000.png")
    arrays = read(str(root))
    assert arrays.train_images.shape == (30, HEIGHT, WIDTH, 3)
    coloured = [image for image in arrays.train_images if not (image[..., :1] == image).all()]
    assert [image.tobytes() for image in coloured] == [red.tobytes()]
    np.testing.assert_array_equal(arrays.validation_images[..., 1], grey.validation_images)


@pytest.mark.parametrize(
    ("mode", "pixel", "expected"),
    [
        ("1", 1, 255),
        ("L", 77, 77),
        ("LA", (77, 255), 77),
        ("LA", (77, 0), 255),
        ("LA", (0, 51), 204),
        ("RGB", (1, 2, 3), (1, 2, 3)),
        ("RGBA", (1, 2, 3, 255), (1, 2, 3)),
        ("RGBA", (1, 2, 3, 0), (255, 255, 255)),
        ("RGBA", (0, 100, 255, 51), (204, 224, 255)),
        ("P", 3, (30, 31, 32)),
    ],
)
def test_what_a_file_s_pixels_become(
    tmp_path: Path, mode: str, pixel: int | tuple[int, ...], expected: int | tuple[int, ...]
) -> None:
    image = Image.new(mode, (WIDTH, HEIGHT))
    if mode == "P":
        image.putpalette([10 * place + channel for place in range(25) for channel in range(3)])
    image.putpixel((4, 7), pixel)
    for name in CLASSES:
        (tmp_path / name).mkdir()
        for number in range(5):
            image.save(tmp_path / name / f"{number}.png")
    images = read(str(tmp_path)).train_images
    assert images.ndim == (3 if isinstance(expected, int) else 4)
    np.testing.assert_array_equal(images[0, 7, 4], expected)


def test_what_is_hidden_or_called_no_image_is_passed_over(root: Path) -> None:
    before = read(str(root))
    (root / ".git").mkdir()
    (root / "notes.txt").write_text("no class")
    (root / "train" / ".cache").mkdir()
    (root / "train" / "README.md").write_text("no class")
    (root / "train" / "cat" / ".DS_Store").write_bytes(b"?")
    (root / "train" / "cat" / ".hidden.png").write_bytes(b"?")
    (root / "train" / "cat" / "labels.csv").write_text("no image")
    (root / "train" / "cat" / "more").mkdir()
    after = read(str(root))
    np.testing.assert_array_equal(before.train_images, after.train_images)
    assert after.class_names == CLASSES


def test_a_class_may_lack_validation_images(root: Path) -> None:
    for path in (root / "test" / "dog").iterdir():
        path.unlink()
    (root / "test" / "dog").rmdir()
    assert np.bincount(read(str(root)).validation_labels, minlength=3).tolist() == [4, 0, 4]


def test_names_that_a_terminal_would_act_on_are_tamed(tmp_path: Path) -> None:
    fill(tmp_path, ("a\nb", "\x1b[31mred"))
    assert load(str(tmp_path)).class_names == ("?[31mred", "a?b")


def test_memory_is_asked_for_before_anything_is_decoded(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = (10 + 12) * HEIGHT * WIDTH * 4 + (30 + 12) * HEIGHT * WIDTH
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2 * needed))
    monkeypatch.setattr(folder, "_pixels", None)
    assert "give --train-size 1" in sentence(root)


def test_progress_is_told_and_reading_can_be_left(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "TOLD_EVERY", 20)
    said, breaths = list[str](), list[None]()
    load(str(root), report=said.append, check_stop=lambda: breaths.append(None))
    assert "reading own: 40 of 42 images" in said
    assert len(breaths) == 6 + 2 * 42

    def check_stop() -> None:
        breaths.append(None)
        if len(breaths) == 110:
            raise LookupError

    with pytest.raises(LookupError):
        load(str(root), check_stop=check_stop)
