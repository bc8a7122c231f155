"""Every number a user can give wrongly gets one sentence that names it."""

import math
import re
from dataclasses import fields
from pathlib import Path

import pytest

from bntui.core.config import Change, Knobs
from bntui.core.parsers import parse_update
from bntui.core.settings import LIVE, SETTINGS
from bntui.core.text import LONGEST_WORD, ConfigError


def parse(name: str, value: str) -> object:
    judge = parse_update if name == "update" else SETTINGS[name].parse
    assert judge
    return judge(value)


NUMBERS: dict[str, tuple[str, ...]] = {
    "batch_size": ("0", "-1", "3.5", "65537", "inf"),
    "momentum": ("1.0", "1", "-0.1", "99", "inf", "-inf"),
    "learning_rate": ("0", "-1", "inf", "1.1e12", "1e-400"),
    "pace": ("0", "-1", "1001", "inf"),
    "epochs": ("0", "-1", "1.5", "100001"),
    "steps": ("0", "-3", "0.5", "inf"),
    "train_size": ("0", "-60000", "1e9"),
    "threads": ("0", "-1", "5000"),
    "seed": ("-1", "0.5", "4294967296"),
    "width": ("0", "-1", "0.01", "5"),
}
NO_NUMBERS = ("", " ", "abc", "nan", "1_000", "１２", "0x10", "1,5", "64 images", "½")
NAMES: dict[str, tuple[str, ...]] = {
    "dataset": (
        "",
        " ",
        "cifar",
        "mnist2",
        "/no/where",
        "no.npz",
        "~nobody/x",
        "x" * 5000,
    ),
    "device": ("", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:１", "cpu:0", "mps:1"),
    "at": (
        "97",
        ":recalibrate",
        "97:",
        "97:recalibrat",
        "97:momentum",
        "97:width=1",
        "-1:momentum=0.9",
        "x:lr=0.1",
        "97:batch=0",
        "97:lr=",
    ),
}
BAD = [
    *((name, value) for name, values in NUMBERS.items() for value in (*values, *NO_NUMBERS)),
    *((name, value) for name, values in NAMES.items() for value in values),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=[f"{name} {value!r}" for name, value in BAD])
def test_a_bad_value_gets_one_sentence_that_names_it(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(name, value)
    message = str(caught.value)
    # Of a change the part that is wrong may be named alone.
    parts = [value, *re.split("[:=]", value)] if name == "at" else [value]
    if len(value) < LONGEST_WORD:
        assert any(repr(part) in message or f" {part} " in message for part in parts)
    else:  # named by its beginning
        assert value[:40] in message
    assert re.fullmatch(r"[a-z][^\n]*[^.]\.", message)
    assert not re.search(r"[.!?] [A-Z]", message)


@pytest.mark.parametrize(
    "name",
    [
        *NUMBERS,
        *("update", "base_batch", "ghost_batch"),
        *("norm_layers", "depth", "lr_warmup"),
    ],
)
def test_what_is_no_number_is_not_said_to_be_out_of_range(name: str) -> None:
    for value in NO_NUMBERS:
        with pytest.raises(ConfigError, match=re.escape(f"{value!r} is not a number: give ")):
            parse(name, value)
    with pytest.raises(ConfigError, match=" -1e99 is out of range: give "):
        parse(name, "-1e99")


def test_a_part_of_an_image_is_not_said_to_be_out_of_range() -> None:
    with pytest.raises(ConfigError, match=r"batch size 3.5 is not a whole number: give "):
        parse("batch_size", "3.5")


GOOD: list[tuple[str, str, object]] = [
    ("batch_size", "1", 1),
    ("batch_size", " 4096 ", 4096),
    ("batch_size", "1e3", 1000),
    ("batch_size", "65536", 65_536),
    ("momentum", "0", 0.0),
    ("momentum", "0.999", 0.999),
    ("learning_rate", "1e-9", 1e-9),
    ("learning_rate", "100", 100.0),
    ("pace", "0.5", 0.5),
    ("pace", " Unlimited", math.inf),
    ("epochs", "10", 10),
    ("steps", "160", 160),
    ("seed", "0", 0),
    ("width", "0.03125", 0.03125),
    ("dataset", " MNIST ", "mnist"),
    ("dataset", "Fashion-MNIST", "fashion-mnist"),
    ("dataset", "cifar10", "cifar10"),
    ("dataset", "/", "/"),
    ("device", "CUDA:1", "cuda:1"),
    ("device", "auto", "auto"),
    ("at", "97:momentum=0.9", Change(97, "momentum", 0.9)),
    ("at", "0:batch=64", Change(0, "batch_size", 64)),
    ("at", "12:recalibrate", Change(12, "recalibrate")),
]


@pytest.mark.parametrize(("name", "value", "expected"), GOOD)
def test_a_good_value_is_taken(name: str, value: str, expected: object) -> None:
    parsed = parse(name, value)
    assert parsed == expected
    assert type(parsed) is type(expected)


def test_the_user_s_own_data_set_is_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mnist", "Own Images"):
        (tmp_path / name).mkdir()
    (tmp_path / "own.NPZ").touch()
    (tmp_path / "own.zip").write_bytes(b"PK\x03\x04")
    assert parse("dataset", "Own Images") == str(tmp_path / "Own Images")
    assert parse("dataset", "./Own Images/../own.NPZ") == str(tmp_path / "own.NPZ")
    assert parse("dataset", "mnist") == "mnist"  # a name goes first
    assert parse("dataset", "./mnist") == str(tmp_path / "mnist")
    with pytest.raises(
        ConfigError, match=r"'own.zip' is neither a folder nor an .npz \(a zip archive\): "
    ):
        parse("dataset", "own.zip")
    with pytest.raises(ConfigError, match=r"'./gone' is not there: "):
        parse("dataset", "./gone")


def test_every_knob_can_be_turned_by_a_planned_change() -> None:
    assert {row.field for row in LIVE.values()} == {field.name for field in fields(Knobs)}
