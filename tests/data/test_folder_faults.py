"""A folder of images for each class that can't be a data set: a sentence for each reason."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from bntui.data import folder
from bntui.data.arrays import DataError
from tests.data.folders import CLASSES, HEIGHT, WIDTH, fill
from tests.data.loading import load, sentence

pytestmark = pytest.mark.usefixtures("home")


def empty_class(root: Path) -> Path:
    (root / "train" / "fox").mkdir()
    return root / "train" / "fox"


def strange_class(root: Path) -> Path:
    fill(root / "test", ("fox",))
    return root / "test" / "fox"


def empty_test_class(root: Path) -> Path:
    for path in (root / "test" / "dog").iterdir():
        path.unlink()
    return root / "test" / "dog"


def no_test(root: Path) -> Path:
    (root / "test").rename(root / "elsewhere")
    return root / "train"


def no_train(root: Path) -> Path:
    (root / "train").rename(root / "elsewhere")
    return root


def nothing_to_validate(root: Path) -> Path:
    (root / "test").rename(root / "elsewhere")
    (root / "test").mkdir()
    return root / "test"


def one_class(root: Path) -> Path:
    for name in CLASSES[1:]:
        for split in ("train", "test"):
            (root / split / name).rename(root / f"{split}{name}")
    return root / "train"


def other_size(root: Path) -> Path:
    Image.new("L", (HEIGHT, WIDTH)).save(root / "train" / "dog" / "007.png")
    return root / "train" / "dog" / "007.png"


def other_size_in_test(root: Path) -> Path:
    Image.new("L", (WIDTH + 1, HEIGHT)).save(root / "test" / "dog" / "001.png")
    return root / "test" / "dog" / "001.png"


def truncated(root: Path) -> Path:
    path = root / "train" / "dog" / "003.png"
    path.write_bytes(path.read_bytes()[:-25])
    return path


def no_image(root: Path) -> Path:
    path = root / "test" / "dog" / "003.png"
    path.write_text("an image")
    return path


def zero_bytes(root: Path) -> Path:
    path = root / "test" / "dog" / "003.png"
    path.write_bytes(b"")
    return path


def deep(root: Path) -> Path:
    path = root / "train" / "cat" / "003.png"
    Image.fromarray(np.full((HEIGHT, WIDTH), 4711, np.uint16)).save(path)
    return path


def pipe(root: Path) -> Path:
    os.mkfifo(root / "train" / "cat" / "pipe.png")
    return root / "train" / "cat" / "pipe.png"


def dangling(root: Path) -> Path:
    (root / "train" / "cat" / "link.png").symlink_to(root / "nowhere")
    return root / "train" / "cat" / "link.png"


def immense(root: Path) -> Path:
    """A PNG whose header claims ten gigapixels."""
    path = root / "train" / "cat" / "004.png"
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT")
    return path


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (empty_class, "holds no images"),
        (empty_test_class, "holds no images"),
        (strange_class, "is a class that"),
        (no_test, "no test"),
        (no_train, "no train"),
        (nothing_to_validate, "holds no folders"),
        (one_class, "1 class:"),
        (other_size, "9 × 6 pixels"),
        (other_size_in_test, "7 × 9 pixels"),
        (truncated, "damaged"),
        (no_image, "damaged or no image"),
        (zero_bytes, "damaged or no image"),
        (deep, "8 bits"),
        (pipe, "can't be read (it is a pipe and no file)"),
        (dangling, "can't be read (No such file"),
        (immense, "too large"),
    ],
)
def test_every_fault_is_named(harm: Callable[[Path], Path], words: str, root: Path) -> None:
    path = harm(root)
    text = sentence(root)
    assert str(path) in text
    assert words in text


def test_no_other_program_is_started(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = list[object]()
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *args: started.append(args))
    path = root / "train" / "cat" / "004.png"
    Image.new("L", (WIDTH, HEIGHT)).save(path, format="EPS")
    assert f"{path} is damaged or no image" in sentence(root)
    assert started == []


@pytest.mark.parametrize(("width", "height"), [(3, 9), (9, 3), (257, 9), (9, 300)])
def test_sizes_that_the_network_cannot_take(tmp_path: Path, width: int, height: int) -> None:
    for name in CLASSES:
        (tmp_path / name).mkdir()
        for number in range(5):
            Image.new("L", (width, height), number).save(tmp_path / name / f"{number}.png")
    assert f"{width} × {height} pixels" in sentence(tmp_path)


def test_a_folder_without_folders(tmp_path: Path) -> None:
    assert "0 classes" in sentence(tmp_path)
    Image.new("L", (9, 9)).save(tmp_path / "image.png")
    assert "0 classes" in sentence(tmp_path)
    with pytest.raises(DataError, match="No such file"):  # gone after it was named
        folder.read_folder(tmp_path / "gone", None, lambda _: None, lambda: None)


def test_too_few_images_to_split(tmp_path: Path) -> None:
    assert "too few" in sentence(fill(tmp_path, count=2))
    assert len(load(str(fill(tmp_path, count=3))).validation) == 3


def test_too_many_classes(tmp_path: Path) -> None:
    for number in range(1001):
        (tmp_path / f"{number}").mkdir()
    assert "1,001 classes: give 2 to 1,000" in sentence(tmp_path)


def test_a_folder_that_may_not_be_read_says_why(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not with chmod: where tests run as root it forbids nothing.
    real = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "dog":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    text = sentence(root)
    assert f"{root / 'train' / 'dog'} can't be read (Permission denied)" in text


def test_an_image_that_may_not_be_read_says_why(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(folder, "open_regular", refuse)
    assert "can't be read (Permission denied)" in sentence(root)
