"""The user's own `.npz`: what it may hold, and a sentence for all that it may not."""

import io
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.core.text import ConfigError
from bntui.data.arrays import Arrays, DataError
from bntui.data.npz import NAMES
from bntui.data.sources import read
from bntui.train.session import Session
from tests.data.loading import assert_standardised, load, sentence
from tests.no_files import NO_FILES
from tests.train.sessions import snapshot_of
from tools.faults import Fault

pytestmark = pytest.mark.usefixtures("home")

TRAIN, TEST = 30, 12
RNG = np.random.default_rng(0)
GREY = {
    "x_train": RNG.integers(0, 256, (TRAIN, 9, 6), np.uint8),
    "y_train": np.repeat([0, 1, 2], TRAIN // 3),
    "x_test": RNG.integers(0, 256, (TEST, 9, 6), np.uint8),
    "y_test": np.repeat([0, 1, 2], TEST // 3),
}
COLOUR = GREY | {
    "x_train": RNG.integers(0, 256, (TRAIN, 9, 6, 3), np.uint8),
    "x_test": RNG.integers(0, 256, (TEST, 9, 6, 3), np.uint8),
}
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Return a function that saves `GREY` with other arrays in place of some; None leaves one out."""

    def to_file(*, compressed: bool = False, **changes: Any) -> Path:
        path = tmp_path / "own.npz"
        arrays = {name: value for name, value in (GREY | changes).items() if value is not None}
        (np.savez_compressed if compressed else np.savez)(path, **arrays)
        return path

    return to_file


def pairs(images: np.ndarray, labels: np.ndarray) -> list[tuple[bytes, int]]:
    """Return every image with its label, in an order that says nothing."""
    return sorted(
        (image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)
    )


def assert_holds(arrays: Arrays, expected: dict[str, np.ndarray]) -> None:
    for ours, theirs in (("train", "train"), ("validation", "test")):
        images = getattr(arrays, f"{ours}_images")
        assert images.dtype == expected[f"x_{theirs}"].dtype
        assert images.shape == expected[f"x_{theirs}"].shape
        labels = expected[f"y_{theirs}"].ravel()
        assert pairs(images, getattr(arrays, f"{ours}_labels")) == pairs(
            expected[f"x_{theirs}"], labels
        )


@pytest.mark.parametrize("compressed", [False, True])
def test_grey_images_with_their_labels(save: Save, compressed: bool) -> None:
    path = save(compressed=compressed)
    arrays = read(str(path))
    assert_holds(arrays, GREY)
    assert arrays.class_names == ("0", "1", "2")
    dataset = load(str(path))
    assert (dataset.name, dataset.classes, dataset.notice) == ("own.npz", 3, "")
    assert dataset.train.images.shape == (TRAIN, 1, 9, 6)
    assert_standardised(dataset, arrays)


@pytest.mark.parametrize("first", [False, True], ids=["N,H,W,C", "N,C,H,W"])
def test_colour_with_channels_last_or_first(save: Save, first: bool) -> None:
    images = {name: COLOUR[name] for name in ("x_train", "x_test")}
    if first:
        images = {name: np.moveaxis(array, -1, 1).copy() for name, array in images.items()}
    path = save(**images)
    assert_holds(read(str(path)), COLOUR)
    dataset = load(str(path))
    assert dataset.train.images.shape == (TRAIN, 3, 9, 6)
    assert_standardised(dataset, read(str(path)))


@pytest.mark.parametrize("place", [1, 3])
def test_one_channel_is_grey(save: Save, place: int) -> None:
    path = save(**{name: np.expand_dims(GREY[name], place) for name in ("x_train", "x_test")})
    assert_holds(read(str(path)), GREY)


def test_keras_s_labels_with_a_dimension_too_many(save: Save) -> None:
    assert_holds(
        read(str(save(y_train=GREY["y_train"][:, None], y_test=GREY["y_test"][:, None]))), GREY
    )


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8", "i8", "u2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_other_numbers_become_float32(save: Save, dtype: str, order: Any) -> None:
    floats = {name: (GREY[name] / 2).astype(dtype, order) for name in ("x_train", "x_test")}
    path = save(**floats, y_train=GREY["y_train"].astype(">u4"))
    expected = {name: np.ascontiguousarray(value, np.float32) for name, value in floats.items()}
    assert_holds(read(str(path)), GREY | expected)
    assert_standardised(load(str(path)), read(str(path)))


def test_images_that_came_class_by_class_are_mixed(save: Save) -> None:
    path = save()
    for arrays in (read(str(path)), read(str(path), train_size=6)):
        assert sorted(arrays.train_labels[:6]) == [0, 0, 1, 1, 2, 2]
        assert sorted(arrays.validation_labels[:6]) == [0, 0, 1, 1, 2, 2]
    one, other = read(str(path)), read(str(path))
    np.testing.assert_array_equal(one.train_images, other.train_images)


def test_train_size_keeps_part_of_every_class(save: Save) -> None:
    path, size = save(), 15
    arrays = read(str(path), train_size=size)
    assert np.bincount(arrays.train_labels).tolist() == [5, 5, 5]
    assert len(arrays.validation_labels) == TEST
    assert_standardised(load(str(path), train_size=size), arrays)
    with pytest.raises(ConfigError, match=r"train size 31 .* own.npz has 30 training images"):
        read(str(path), train_size=31)


@pytest.mark.parametrize(
    ("renumbered", "names", "remark"),
    [
        ((1, 2, 3), ("1", "2", "3"), "The labels of own.npz are 1 to 3: 3 classes."),
        ((0, 1, 3), ("0", "1", "3"), "The labels of own.npz are 0 to 1, 3: 3 classes."),
        ((2, 500, 999), ("2", "500", "999"), "The labels of own.npz are 2, 500, 999: 3 classes."),
    ],
)
def test_classes_are_the_labels_that_there_are(
    save: Save, renumbered: tuple[int, ...], names: tuple[str, ...], remark: str
) -> None:
    labels = np.array(renumbered)
    path = save(y_train=labels[GREY["y_train"]], y_test=labels[GREY["y_test"]])
    arrays = read(str(path))
    assert arrays.class_names == names
    assert_holds(arrays, GREY)
    assert load(str(path)).notice == remark


def test_a_class_without_images_to_validate_is_told(save: Save) -> None:
    arrays = read(str(save(y_test=GREY["y_test"] // 2)))
    assert arrays.class_names == ("0", "1", "2")
    assert arrays.notice == "No image of own.npz validates the class 2."


@pytest.mark.parametrize("labels", ["(N,)", "(N, 1)", "(1, N)"])
@pytest.mark.parametrize("of", ["grey", "colour", "channels first"])
def test_the_images_may_be_along_the_last_axis(save: Save, of: str, labels: str) -> None:
    stored = GREY if of == "grey" else COLOUR
    changes = {}
    for name in NAMES:
        if name.startswith("x"):
            image = np.moveaxis(stored[name], -1, 1) if of == "channels first" else stored[name]
            changes[name] = np.moveaxis(image, 0, -1).copy()
        else:
            shape = {"(N,)": (-1,), "(N, 1)": (-1, 1), "(1, N)": (1, -1)}[labels]
            changes[name] = GREY[name].reshape(shape)
    path = save(**changes)
    assert_holds(read(str(path)), stored)
    assert load(str(path)).notice == "The images of own.npz are along the last axis."


def test_names_may_be_in_capitals(save: Save, tmp_path: Path) -> None:
    capitals: dict[str, Any] = {name.upper(): array for name, array in GREY.items()}
    np.savez(tmp_path / "own.npz", **capitals)
    assert_holds(read(str(tmp_path / "own.npz")), GREY)
    both: dict[str, Any] = {"X_train": GREY["x_train"][:3], "X_TRAIN": GREY["x_train"][:2], **GREY}
    np.savez(tmp_path / "own.npz", **both)
    assert_holds(read(str(tmp_path / "own.npz")), GREY)


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


def test_memory_counts_what_is_read_and_what_is_kept(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = sum(array.nbytes for array in GREY.values())
    needed = stored + 4 * (10 + TEST) * 9 * 6
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2 * needed))
    path = save()
    assert "give --train-size 10." in sentence(path)
    assert len(load(str(path), train_size=10).train) == 10


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


def test_a_name_that_a_terminal_would_act_on_is_tamed(tmp_path: Path) -> None:
    path = tmp_path / "a\nb\x1b[2J.npz"
    path.write_bytes(b"")
    assert "a?b?[2J.npz" in sentence(path)


def test_reading_can_be_left_at_any_time(save: Save) -> None:
    breaths = 0

    def check_stop() -> None:
        nonlocal breaths
        breaths += 1
        if breaths == 5:
            raise LookupError

    with pytest.raises(LookupError):
        load(str(save()), check_stop=check_stop)


@pytest.mark.parametrize("arrays", [GREY, COLOUR], ids=["grey", "colour"])
def test_the_network_takes_any_size_colours_and_classes(
    save: Save, arrays: dict[str, np.ndarray]
) -> None:
    config = RunConfig(dataset=str(save(**arrays)), width=1 / 32, knobs=Knobs(batch_size=8))
    session = Session(RunRequest(config, Observation()))
    for _ in range(5):
        session.train_once(None)
    session.conclude()
    snapshot = snapshot_of(session, Phase.FINISHED)
    assert snapshot.update == 5
    assert snapshot.divergence is None
    assert snapshot.validation
    assert sum(snapshot.validation.running.predicted) == TEST
    assert len(snapshot.validation.running.predicted) == 3
    assert session.trainer.model[1].in_channels == arrays["x_train"][0].size // 54


def test_a_path_may_be_relative_and_of_the_user(
    save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in ("own.npz", "./own.npz", f"..{os.sep}{tmp_path.name}/own.npz", "~/own.npz"):
        assert len(load(path).train) == TRAIN
