"""The user's own `.npz`: what it may hold."""

import os
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
from bntui.data.npz import NAMES
from bntui.data.sources import read
from bntui.train.session import Session
from tests.data.arrays import COLOUR, GREY, TEST, TRAIN, Save, assert_holds
from tests.data.loading import assert_standardised, load, sentence
from tests.train.sessions import snapshot_of

pytestmark = pytest.mark.usefixtures("home")


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


def test_memory_counts_what_is_read_and_what_is_kept(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = sum(array.nbytes for array in GREY.values())
    needed = stored + 4 * (10 + TEST) * 9 * 6
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2 * needed))
    path = save()
    assert "give --train-size 10." in sentence(path)
    assert len(load(str(path), train_size=10).train) == 10


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
