"""An `.npz` that is no data set, damaged, or made to do harm: a sentence for each."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bntui.core.text import ConfigError
from bntui.data.arrays import DataError
from bntui.data.sources import read
from tests.data.arrays import COLOUR, GREY, TEST, TRAIN, Save, pairs
from tests.data.loading import load, sentence
from tests.no_files import NO_FILES
from tools.faults import Fault

pytestmark = pytest.mark.usefixtures("home")


def test_names_that_are_there_are_listed_where_others_are_expected(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, train_images=1, train_labels=2)
    said = sentence(path)
    assert "lacks x_train, y_train, x_test, y_test and holds train_images, train_labels:" in said
    many: dict[str, Any] = {f"array {number}": 0 for number in range(20)}
    np.savez(path, **many)
    assert "array 7, …: give" in sentence(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert "and holds word/document.xml: give" in sentence(path)
    zipfile.ZipFile(path, "w").close()
    assert "and is empty: give" in sentence(path)


@pytest.mark.parametrize("dtype", ["u1", "f4"])
def test_splits_of_which_one_was_scaled_are_refused(save: Save, dtype: str) -> None:
    train, test = GREY["x_train"].astype(dtype), (GREY["x_test"] // 100).astype(dtype)
    assert "x_train in" in (said := sentence(save(x_train=train, x_test=test)))
    assert "reach 255 and those of x_test 2: scale both alike" in said


OBJECTS = np.array([[[{}] * 6] * 9] * TRAIN, dtype=object)
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no labels": ({"y_train": None}, "lacks y_train"),
    "no test": ({"x_test": None, "y_test": None}, "lacks x_test, y_test"),
    "flat": ({"x_train": GREY["x_train"].reshape(TRAIN, -1)}, "(30, 54)"),
    "video": ({"x_train": np.zeros((TRAIN, 2, 3, 9, 6), np.uint8)}, "(30, 2, 3, 9, 6)"),
    "scalar": ({"x_train": np.uint8(3)}, "no images"),
    "alpha": ({"x_train": np.zeros((TRAIN, 9, 6, 4), np.uint8)}, "C of 1 or 3"),
    "two channels": ({"x_train": np.zeros((TRAIN, 2, 9, 6), np.uint8)}, "C of 1 or 3"),
    "small": ({"x_train": np.zeros((TRAIN, 3, 9), np.uint8)}, "9 × 3 pixels"),
    "large": ({"x_train": np.zeros((TRAIN, 9, 257), np.uint8)}, "257 × 9 pixels"),
    "other size": ({"x_test": np.zeros((TEST, 9, 7), np.uint8)}, "x_test"),
    "other channels": ({"x_test": COLOUR["x_test"]}, "x_test"),
    "other layout": (
        {"x_train": COLOUR["x_train"], "x_test": np.moveaxis(COLOUR["x_test"], -1, 1)},
        "images of one shape",
    ),
    "other type": ({"x_test": GREY["x_test"].astype("f4")}, "float32"),
    "more images": ({"x_train": GREY["x_train"][:29]}, "29 images"),
    "fewer labels": ({"y_test": GREY["y_test"][:3]}, "(3,)"),
    "one-hot": (
        {"y_train": np.eye(3)[GREY["y_train"]].astype(int)},
        "(30, 3), which looks one-hot",
    ),
    "squares": ({"x_train": np.zeros((TRAIN, 784), np.uint8)}, "x_train.reshape(-1, 28, 28)"),
    "class only in test": (
        {"y_train": GREY["y_train"] * 2, "y_test": GREY["y_test"]},
        "the label 1, and y_train only 0, 2, 4",
    ),
    "one label": ({"y_train": np.int64(1)}, "()"),
    "no images": ({"x_train": GREY["x_train"][:0], "y_train": GREY["y_train"][:0]}, "no images"),
    "no test images": ({"x_test": GREY["x_test"][:0], "y_test": GREY["y_test"][:0]}, "no images"),
    "objects": ({"x_train": OBJECTS}, "x_train"),
    "labels as objects": ({"y_train": GREY["y_train"].astype(object)}, "Python objects"),
    "words": ({"y_train": GREY["y_train"].astype(str)}, "y_train"),
    "fractions": ({"y_train": GREY["y_train"] / 2}, "float64"),
    "bits": ({"x_train": GREY["x_train"] > 7, "x_test": GREY["x_test"] > 7}, "bool"),
    "complex": ({"x_train": GREY["x_train"] * 1j}, "complex128"),
    "records": ({"x_train": np.zeros((TRAIN, 9, 6), "u1,f4")}, "x_train"),
    "negative": ({"y_train": GREY["y_train"] - 1}, "the label -1"),
    "too many": ({"y_train": GREY["y_train"] * 500}, "the label 1000"),
    "immense": (
        {"y_train": GREY["y_train"].astype("u8") + (2**64 - 4)},
        "label 18446744073709551612",
    ),
    "unheard of": ({"y_test": GREY["y_test"] + 1}, "the label 3"),
    "one class": ({"y_train": GREY["y_train"] * 0 + 5}, "1 class:"),
}


@pytest.mark.parametrize(("changes", "words"), BAD.values(), ids=BAD)
def test_what_is_no_data_set_is_refused(save: Save, changes: dict[str, Any], words: str) -> None:
    path = save(**changes)
    text = sentence(path)
    assert str(path) in text
    assert words in text


def rewrite(
    path: Path, member: str, content: bytes, compression: int = zipfile.ZIP_DEFLATED
) -> None:
    """Put other content into one member of an .npz."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, whole in (members | {member: content}).items():
            archive.writestr(name, whole)


@pytest.mark.fault(
    "an .npz that unpacks to gigabytes", injected="a header of 200 MB, packed to 200 kB"
)
@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_header_without_end_is_not_unpacked(save: Save, version: int, fault: Fault) -> None:
    path = save()
    size = 65_535 if version == 1 else 200_000_000
    length = size.to_bytes(2 if version == 1 else 4, "little")
    head = b"\x93NUMPY" + bytes([version, 0]) + length
    rewrite(path, "x_train.npy", head + b"{'descr': '|u1', ".ljust(size))
    tracemalloc.start()
    try:
        said = sentence(path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert "x_train in " in said
    assert "is damaged" in said
    fault.saw = said.replace(str(path.parent), "…")
    fault.lost = "nothing"


@pytest.mark.parametrize("side", [2**62, 10**40, 10**400, 10**5000], ids=int.bit_length)
def test_a_shape_of_any_size_is_refused(save: Save, side: int) -> None:
    path = save()
    claimed = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({TRAIN}, {side:#x}, 6)}}"
    decimal = claimed.replace(f"{side:#x}", str(side)) if side < 10**4000 else claimed
    for text in (claimed, decimal):
        header = text.encode().ljust(9000) + b"\n"
        rewrite(
            path, "x_train.npy", b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header
        )
        assert "x_train in " in sentence(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_numpy_never_packs_so_is_refused(save: Save, compression: int) -> None:
    path = save()
    rewrite(path, "other.npy", b"", compression)
    assert "packed as NumPy packs nothing" in sentence(path)


@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
def test_what_is_no_file_is_not_opened(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "own.npz")
    with pytest.raises(DataError, match=r"own\.npz can't be read \(it is a "):
        read(str(tmp_path / "own.npz"))
    with pytest.raises(ConfigError, match=r"is neither a folder nor an \.npz"):
        load(str(tmp_path / "own.npz"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html>", "a page of HTML"),
        (b"\x93NUMPY\x01\0", "a single NumPy array (.npy)"),
        (b"\x1f\x8b\x08", "a gzip file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (b"PK\x03\x04", "a zip archive"),
        (b"", "empty"),
    ],
)
def test_what_is_there_in_place_of_an_npz_is_named(
    tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "own.npz").write_bytes(content)
    assert f"is damaged or no .npz ({words}" in sentence(tmp_path / "own.npz")


@pytest.mark.parametrize("name", ["x_train", "x_test"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_numbers_that_are_not_finite_are_refused(save: Save, name: str, value: float) -> None:
    floats = {name: GREY[name].astype("f8") for name in ("x_train", "x_test")}
    floats[name][-1, -1, -1] = value
    text = sentence(save(**floats))
    assert f"{name} in " in text
    assert "NaN or infinity" in text


def test_nothing_is_unpickled(save: Save, tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    class Intruder:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (trace,)

    objects = np.array([Intruder()] * TRAIN, dtype=object)
    sentence(save(y_train=objects))
    assert not trace.exists()


def claim(path: Path, shape: tuple[int, ...]) -> None:
    """Have x_train's header claim a shape that is not there."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"shape": shape, "fortran_order": False, "descr": "|u1"}
    )
    members["x_train.npy"] = header.getvalue() + members["x_train.npy"][128:]
    labels = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        labels, {"shape": shape[:1], "fortran_order": False, "descr": "<i8"}
    )
    members["y_train.npy"] = labels.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_small_file_that_claims_to_be_huge_is_refused_before_it_is_read(save: Save) -> None:
    path = save()
    claim(path, (2**50, 9, 6))
    assert "GB of memory" in sentence(path)
    assert "GB of memory" in sentence(path, train_size=100)  # it would still be read whole


def test_a_claim_that_would_fit_is_found_out(save: Save) -> None:
    path = save()
    claim(path, (TRAIN + 1, 9, 6))
    assert "damaged" in sentence(path)


def test_more_than_a_header_says_is_damage(save: Save) -> None:
    path = save()
    claim(path, (TRAIN - 1, 9, 6))
    assert "x_train in " in sentence(path)


def test_shapes_below_zero_are_refused(save: Save) -> None:
    for shape in ((-1, 9, 6), (TRAIN, -9, 6), (TRAIN, -9, -6, 3)):
        path = save()
        claim(path, shape)
        sentence(path)


def test_a_file_that_is_none(tmp_path: Path, save: Save) -> None:
    path = tmp_path / "own.npz"
    path.write_bytes(b"no zip")
    assert "damaged or no .npz" in sentence(path)
    path.write_bytes(b"")
    assert "damaged or no .npz" in sentence(path)
    np.save(path.open("wb"), GREY["x_train"])
    assert "damaged or no .npz" in sentence(path)
    path.unlink()
    with pytest.raises(ConfigError, match="is not there"):
        load(str(path))
    with pytest.raises(DataError, match="No such file"):  # gone after it was named
        read(str(path))
    path.symlink_to(path)
    with pytest.raises(DataError, match="Too many levels"):
        read(str(path))


@pytest.mark.parametrize("compressed", [False, True])
def test_damage_anywhere_gets_a_sentence_or_does_no_harm(save: Save, compressed: bool) -> None:
    path = save(compressed=compressed)
    whole = path.read_bytes()
    expected = read(str(path))
    refused, places = 0, range(0, len(whole), 17)
    for place in places:
        for content in (whole[:place], _flipped(whole, place)):
            path.write_bytes(content)
            try:
                arrays = read(str(path))
            except DataError:
                refused += 1
            else:
                assert pairs(arrays.train_images, arrays.train_labels) == pairs(
                    expected.train_images, expected.train_labels
                )
    assert refused > len(places)


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]


def test_encryption_is_named(save: Save) -> None:
    path = save()
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(signature, at + 1)) >= 0:
            content[at + flags] |= 1
    path.write_bytes(content)
    assert "encrypted" in sentence(path)
