"""What a folder's files are taken for, by their places, names and contents, and what is left out."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from bntui.data.sources import read
from tests.data.folders import CLASSES, HEIGHT, WIDTH, fill, given, stored
from tests.data.loading import load, sentence
from tests.no_files import NO_FILES
from tools.faults import Fault

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data set of three classes: 10 grey images of each to train on and 4 to validate."""
    fill(tmp_path / "own" / "train")
    fill(tmp_path / "own" / "test", count=4)
    return tmp_path / "own"


# Images as a viewer shows them


def ink(mode: str, opaque: bool = False) -> Image.Image:
    """Return a black drawing whose ink is only in the alpha channel, or the same on white."""
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[2:5, 1:4] = 255
    if opaque:
        return Image.fromarray(255 - alpha)
    image = Image.new(mode, (WIDTH, HEIGHT))
    image.putalpha(Image.fromarray(alpha))
    return image


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        *((mode, ".png") for mode in ("LA", "RGBA", "palette", "colour key")),
        *(("RGBA", ".webp"), ("RGBA", ".tif")),
    ],
)
def test_ink_in_the_alpha_channel_is_seen(root: Path, mode: str, suffix: str) -> None:
    for split in ("train", "test"):
        path = root / split / "cat" / f"000{suffix}"
        path.unlink(missing_ok=True)
        if mode == "palette":
            image = Image.fromarray(np.asarray(ink("L", opaque=True)) // 255, "P")
            image.putpalette([0, 0, 0] * 2)
            image.save(path, transparency=1)
        elif mode == "colour key":
            pixels = np.asarray(ink("L", opaque=True))
            Image.fromarray(np.where(pixels == 255, 7, 0).astype(np.uint8)).save(
                path, transparency=7
            )
        else:
            ink(mode).save(path, lossless=True)
    expected = np.asarray(ink("L", opaque=True))
    images = read(str(root)).train_images
    grey = images if images.ndim == 3 else images[..., 0]
    assert any((image == expected).all() for image in grey)


def test_a_class_that_would_train_blank_is_named(root: Path) -> None:
    for path in (root / "train" / "dog").iterdir():  # white ink on nothing
        image = Image.new("LA", (WIDTH, HEIGHT), (255, 0))
        image.putpixel((3, 3), (255, 255))
        image.save(path)
    assert load(str(root)).notice == "All training images of the class dog are blank."


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_images_are_turned_as_exif_says(root: Path, orientation: int, suffix: str) -> None:
    path = root / "train" / "cat" / f"000{suffix}"
    upright = Image.open(root / "train" / "cat" / "000.png")
    upright.load()
    (root / "train" / "cat" / "000.png").unlink()
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    as_stored = upright.transpose(back[orientation]) if orientation > 1 else upright
    as_stored.save(path, exif=exif)
    images = read(str(root)).train_images
    assert any((image == np.asarray(upright)).all() for image in images)


def test_only_the_first_of_several_pictures_is_taken_and_it_is_said(root: Path) -> None:
    frames = [Image.new("L", (WIDTH, HEIGHT), shade) for shade in (40, 90, 200)]
    for suffix in (".gif", ".webp", ".png", ".tif"):
        path = root / "train" / "cat" / f"many{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
    notice = load(str(root)).notice
    assert notice == "Of 4 images with several pictures, such as many.webp, the first is taken."


@pytest.mark.parametrize(
    ("mode", "suffix", "words"),
    [
        ("I;16", ".png", "has more than 8 bits a pixel (I;16): save it with 8"),
        ("F", ".tif", "has more than 8 bits a pixel (F): save it with 8"),
        ("LAB", ".tif", "has pixels of the kind LAB: save it as RGB"),
    ],
)
def test_pixels_that_are_not_read_are_named(root: Path, mode: str, suffix: str, words: str) -> None:
    path = root / "train" / "cat" / f"strange{suffix}"
    Image.new(mode, (WIDTH, HEIGHT)).save(path)
    assert f"{path} {words}" in sentence(root)


def test_ink_of_printers_is_read(root: Path) -> None:
    Image.new("CMYK", (WIDTH, HEIGHT), (0, 255, 255, 0)).save(root / "train" / "cat" / "red.tif")
    images = read(str(root)).train_images
    assert any((image == (255, 0, 0)).all() for image in images)


# Names and places


@pytest.mark.parametrize("name", ["7", "7.jfif", "7.JFIF", "7.jpe", "7.image", "7.png.part", "7."])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_an_image_is_one_whatever_it_is_called(root: Path, name: str, kind: str) -> None:
    before = len(read(str(root)).train_images)
    Image.new("L", (WIDTH, HEIGHT), 99).convert("RGB").save(root / "train" / "cat" / name, kind)
    assert len(read(str(root)).train_images) == before + 1
    assert load(str(root)).notice == ""


def test_images_may_lie_deeper_within_their_class(root: Path) -> None:
    before = read(str(root))
    for folder in (*(root / "train").iterdir(), root / "test" / "emu"):
        (folder / "images" / "2020").mkdir(parents=True)
        for path in sorted(folder.glob("*.png"))[::2]:
            path.rename(folder / "images" / "2020" / path.name)
    after = read(str(root))
    assert given(after.train_images, after.train_labels) == given(
        before.train_images, before.train_labels
    )
    assert len(after.validation_labels) == 12
    assert after.notice == ""


def test_a_data_set_may_lie_in_a_folder_of_its_own(root: Path) -> None:
    outer = root.parent / "outer"
    (outer / "download").mkdir(parents=True)
    (outer / "__MACOSX").mkdir()
    shutil.move(root, outer / "download" / "own")
    (outer / "README").write_text("read me")
    arrays = read(str(outer))
    assert (len(arrays.train_labels), len(arrays.validation_labels)) == (30, 12)
    assert arrays.notice == (
        f"The data are those in {outer / 'download' / 'own'}. Left out: 1 that can't be used, such "
        "as README; 1 hidden or of the system, such as __MACOSX."
    )


@pytest.mark.parametrize(
    ("train", "test"),
    [
        *(("training", "testing"), ("Train", "Test"), ("TRAIN", "TEST"), ("train", "val")),
        *(("Training", "Validation"), ("train", "valid"), ("train_images", "test_images")),
        *(("mnist-train", "mnist-test"), ("train2017", "val2017"), ("trainset", "testset")),
    ],
)
def test_other_names_of_the_splits_are_recognised_and_said(
    root: Path, train: str, test: str
) -> None:
    (root / "train").rename(root / "_")
    (root / "test").rename(root / test)
    (root / "_").rename(root / train)
    arrays = read(str(root))
    assert given(arrays.train_images, arrays.train_labels) == stored(root / train)
    assert given(arrays.validation_images, arrays.validation_labels) == stored(root / test)
    assert arrays.notice == f"Trained on {train}, validated on {test}."


def test_a_third_split_is_left_out_and_counted(root: Path) -> None:
    fill(root / "val", count=5)
    arrays = read(str(root))
    assert given(arrays.validation_images, arrays.validation_labels) == stored(root / "test")
    assert arrays.notice == "Left out: 15 that can't be used, such as val/cat/000.png."


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    assert load(str(fill(tmp_path, ("train", "tram")))).class_names == ("train", "tram")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("trian", "tset"), "call them train and test, if you mean that"),
        (("fold1", "fold2"), "which are no classes, for both hold the folders cat and dog"),
        (("train", "tset"), "tset test, if you mean that"),
        (("traning", "test"), "traning train, if you mean that"),
        (("train", "other"), "holds a folder train and no test: give both"),
    ],
)
def test_folders_that_are_no_classes_are_named(
    root: Path, names: tuple[str, str], words: str
) -> None:
    (root / "train").rename(root / "_")
    (root / "test").rename(root / names[1])
    (root / "_").rename(root / names[0])
    assert words in sentence(root)


def test_splits_within_classes_are_named(root: Path) -> None:
    for split in ("train", "test"):
        for name in CLASSES:
            (root / name).mkdir(exist_ok=True)
            (root / split / name).rename(root / name / split)
        (root / split).rmdir()
    assert "lay them out as train/CLASS and test/CLASS" in sentence(root)


def test_a_split_without_classes_is_named(root: Path) -> None:
    for path in sorted((root / "test").rglob("*.png")):
        path.rename(root / "test" / f"{path.parent.name}{path.name}")
    for folder in (root / "test").iterdir():
        if folder.is_dir():
            folder.rmdir()
    assert f"{root / 'test'} holds images and no folders: give one for each" in sentence(root)


def test_images_beside_the_classes_are_an_error(root: Path) -> None:
    for path in (root / "train" / "cat").iterdir():
        path.rename(root / "train" / f"cat{path.name}")
    (root / "train" / "cat").rmdir()
    assert "cat000.png lies beside the folders of the classes, as do 9 more" in sentence(root)


def test_a_class_called_otherwise_in_the_other_split_is_named(root: Path) -> None:
    (root / "test" / "cat").rename(root / "test" / "cats")
    assert "is a class that" in (said := sentence(root))
    assert said.endswith("add it there, or call it cat.")


def test_other_data_in_a_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) * 9)
    assert "--dataset mnist" in sentence(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").rename(tmp_path / "data_batch_1")
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x02}")
    assert "--dataset cifar10" in sentence(tmp_path)
    np.savez(tmp_path / "own.npz", x_train=1)
    assert f"give {tmp_path / 'own.npz'}" in sentence(tmp_path)


# What is left out


def test_everything_that_is_left_out_is_counted(root: Path) -> None:
    (root / ".git").mkdir()
    (root / "notes.txt").write_text("no class")
    (root / "train" / ".cache").mkdir()
    (root / "train" / "Thumbs.db").write_bytes(b"?")
    (root / "train" / "cat" / ".DS_Store").write_bytes(b"?")
    (root / "train" / "cat" / "labels.csv").write_text("no image")
    (root / "test" / "dog" / "desktop.ini").write_text("?")
    assert load(str(root)).notice == (
        "Left out: 2 that can't be used, such as notes.txt; 5 hidden or of the system, such as .git."
    )


def test_notes_beside_their_images_are_counted_and_no_more(root: Path) -> None:
    for path in root.rglob("*.png"):
        path.with_suffix(".xml").write_text("<annotation/>")
    assert load(str(root)).notice == "Left out: 42 that can't be used, such as train/cat/000.xml."


@pytest.mark.parametrize("content", ["<html>no</html>", "some text", "", "\x00\x01\x02"])
@pytest.mark.parametrize("suffix", ["", ".avif", ".dat", ".heic", ".npy"])
def test_many_that_are_no_images_are_an_error(root: Path, content: str, suffix: str) -> None:
    for number in range(5):
        (root / "train" / "dog" / f"00{number}.png").unlink()
        (root / "train" / "dog" / f"00{number}{suffix}").write_text(content)
    assert f"5 of 10 files in {root / 'train' / 'dog'} are no images" in sentence(root)


@pytest.mark.fault(
    "a class whose images are half in a format that is not read", injected="AVIF among PNG"
)
def test_images_in_a_format_that_is_not_read_are_named(root: Path, fault: Fault) -> None:
    for number in range(5):
        (root / "train" / "dog" / f"00{number}.png").unlink()
        (root / "train" / "dog" / f"00{number}.avif").write_bytes(b"\0\0\0\x1cftypavif\0\0\0\0")
    said = sentence(root)
    assert "are no images that can be read, such as 000.avif, which is an AVIF image" in said
    fault.saw = said.replace(str(root), "…")
    fault.lost = "nothing"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\0\0\0\x1cftypavif", "which is an AVIF image"),
        (b"\0\0\0\x18ftypheic", "which is a HEIC image"),
        (b"<!DOCTYPE html><html>", "which is a page of HTML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "which is a pointer of Git LFS"),
        (b"\x93NUMPY\x01\0", "which is a single NumPy array"),
        (b"", "which is empty"),
    ],
)
def test_what_is_there_instead_of_images_is_named(root: Path, content: bytes, words: str) -> None:
    shutil.rmtree(root / "train" / "dog")
    (root / "train" / "dog").mkdir()
    for number in range(5):
        (root / "train" / "dog" / f"{number}.bin").write_bytes(content)
    said = sentence(root)
    assert f"{root / 'train' / 'dog'} holds no images among 5 files, such as 0.bin" in said
    assert words in said


@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
@pytest.mark.parametrize("name", ["odd", "odd.png"])
def test_what_is_no_file_is_neither_opened_nor_waited_for(
    root: Path, name: str, make: Callable[[Path], object]
) -> None:
    path = root / "train" / "cat" / name
    make(path)
    if name == "odd.png":  # it was meant to be an image
        assert f"{path} can't be read (it is a " in sentence(root)
    else:
        assert load(str(root)).notice == "Left out: 1 that can't be used, such as train/cat/odd."


def test_links_that_lead_in_circles_are_followed_once(root: Path) -> None:
    before = read(str(root))
    (root / "train" / "cat" / "again").symlink_to(root / "train" / "cat")
    (root / "train" / "cat" / "up").symlink_to(root / "train" / "cat" / "again")
    (root / "train" / "cat" / "itself").symlink_to("itself")
    after = read(str(root))
    np.testing.assert_array_equal(before.train_images, after.train_images)
    assert after.notice == "Left out: 1 that can't be used, such as train/cat/itself."


def test_names_that_are_no_text_are_read_and_shown(root: Path) -> None:
    odd = Path(os.fsdecode(bytes(root / "train") + b"/\xff\xfe"))
    (root / "train" / "cat").rename(odd)
    (root / "test" / "cat").rename(root / "test" / odd.name)
    (odd / os.fsdecode(b"\xe9")).write_text("no image")
    said = list[str]()
    data = load(str(root), report=said.append)
    assert "??" in data.class_names
    assert "train/??/?" in data.notice
    (odd / "000.png").write_text("no image")
    assert "??/000.png is damaged or no image (text)" in sentence(root)
    outer = Path(os.fsdecode(bytes(root.parent) + b"/\xff"))
    root.rename(outer)
    with pytest.raises(ValueError, match="damaged"):
        load(str(outer), report=said.append)
    assert all(words.isprintable() for words in said)


def test_a_png_that_unpacks_to_much_is_refused_by_its_header(root: Path) -> None:
    for side, words in ((9_000, "9,000 × 9,000 pixels"), (16_000, "is far too large")):
        Image.new("1", (side, side)).save(root / "train" / "dog" / "000.png")  # 10 kB, 32 kB
        assert words in sentence(root)


def test_pillow_writes_nothing_over_the_screen(
    root: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own
    monkeypatch.setattr(logging.getLogger("PIL"), "handlers", [])
    path = root / "train" / "cat" / "odd.tif"
    Image.new("RGB", (WIDTH, HEIGHT)).save(path)
    tag, odd = (number.to_bytes(2, "little") for number in (277, 8196))  # samples per pixel
    before = path.read_bytes()
    at = before.index(tag + b"\3\0") + 8
    path.write_bytes(before[:at] + odd + before[at + 2 :])
    assert "odd.tif is damaged" in sentence(root)
    assert capfd.readouterr() == ("", "")
