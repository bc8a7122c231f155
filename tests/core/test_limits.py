"""Every number a user can give wrongly gets one sentence that names it."""

import math
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from bntui.core import limits
from bntui.core.changes import CHANGES, parse_change
from bntui.core.config import Change, Knobs
from bntui.core.text import LONGEST_WORD, ConfigError

Parse = Callable[[str], object]

NUMBERS: dict[Parse, tuple[str, ...]] = {
    limits.parse_batch_size: ("0", "-1", "3.5", "65537", "inf"),
    limits.parse_momentum: ("1.0", "1", "-0.1", "99", "inf", "-inf"),
    limits.parse_learning_rate: ("0", "-1", "inf", "1.1e12", "1e-400"),
    limits.parse_pace: ("0", "-1", "1001", "inf"),
    limits.parse_epochs: ("0", "-1", "1.5", "100001"),
    limits.parse_steps: ("0", "-3", "0.5", "inf"),
    limits.parse_train_size: ("0", "-60000", "1e9"),
    limits.parse_threads: ("0", "-1", "5000"),
    limits.parse_seed: ("-1", "0.5", "4294967296"),
    limits.parse_width: ("0", "-1", "0.01", "5"),
}
NO_NUMBERS = ("", " ", "abc", "nan", "1_000", "１２", "0x10", "1,5", "64 images", "½")
NAMES: dict[Parse, tuple[str, ...]] = {
    limits.parse_dataset: (
        "",
        " ",
        "cifar",
        "mnist2",
        "/no/where",
        "no.npz",
        "~nobody/x",
        "x" * 5000,
    ),
    limits.parse_device: ("", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:１", "cpu:0", "mps:1"),
    parse_change: (
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
    *((parse, value) for parse, values in NUMBERS.items() for value in (*values, *NO_NUMBERS)),
    *((parse, value) for parse, values in NAMES.items() for value in values),
]


@pytest.mark.parametrize(
    ("parse", "value"), BAD, ids=[f"{parse.__name__} {value!r}" for parse, value in BAD]
)
def test_a_bad_value_gets_one_sentence_that_names_it(parse: Parse, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(value)
    message = str(caught.value)
    # Of a change the part that is wrong may be named alone.
    parts = [value, *re.split("[:=]", value)] if parse is parse_change else [value]
    if len(value) < LONGEST_WORD:
        assert any(repr(part) in message or f" {part} " in message for part in parts)
    else:  # named by its beginning
        assert value[:40] in message
    assert re.fullmatch(r"[a-z][^\n]*[^.]\.", message)
    assert not re.search(r"[.!?] [A-Z]", message)


@pytest.mark.parametrize(
    "parse",
    [
        *NUMBERS,
        *(limits.parse_update, limits.parse_base_batch, limits.parse_ghost_batch),
        *(limits.parse_norm_layers, limits.parse_depth, limits.parse_lr_warmup),
    ],
)
def test_what_is_no_number_is_not_said_to_be_out_of_range(parse: Parse) -> None:
    for value in NO_NUMBERS:
        with pytest.raises(ConfigError, match=re.escape(f"{value!r} is not a number: give ")):
            parse(value)
    with pytest.raises(ConfigError, match=" -1e99 is out of range: give "):
        parse("-1e99")


def test_a_part_of_an_image_is_not_said_to_be_out_of_range() -> None:
    with pytest.raises(ConfigError, match=r"batch size 3.5 is not a whole number: give "):
        limits.parse_batch_size("3.5")


GOOD: list[tuple[Parse, str, object]] = [
    (limits.parse_batch_size, "1", 1),
    (limits.parse_batch_size, " 4096 ", 4096),
    (limits.parse_batch_size, "1e3", 1000),
    (limits.parse_batch_size, "65536", 65_536),
    (limits.parse_momentum, "0", 0.0),
    (limits.parse_momentum, "0.999", 0.999),
    (limits.parse_learning_rate, "1e-9", 1e-9),
    (limits.parse_learning_rate, "100", 100.0),
    (limits.parse_pace, "0.5", 0.5),
    (limits.parse_pace, " Unlimited", math.inf),
    (limits.parse_epochs, "10", 10),
    (limits.parse_steps, "160", 160),
    (limits.parse_seed, "0", 0),
    (limits.parse_width, "0.03125", 0.03125),
    (limits.parse_dataset, " MNIST ", "mnist"),
    (limits.parse_dataset, "Fashion-MNIST", "fashion-mnist"),
    (limits.parse_dataset, "cifar10", "cifar10"),
    (limits.parse_dataset, "/", "/"),
    (limits.parse_device, "CUDA:1", "cuda:1"),
    (limits.parse_device, "auto", "auto"),
    (parse_change, "97:momentum=0.9", Change(97, "momentum", 0.9)),
    (parse_change, "0:batch=64", Change(0, "batch_size", 64)),
    (parse_change, "12:recalibrate", Change(12, "recalibrate")),
]


@pytest.mark.parametrize(("parse", "value", "expected"), GOOD)
def test_a_good_value_is_taken(parse: Parse, value: str, expected: object) -> None:
    parsed = parse(value)
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
    assert limits.parse_dataset("Own Images") == str(tmp_path / "Own Images")
    assert limits.parse_dataset("./Own Images/../own.NPZ") == str(tmp_path / "own.NPZ")
    assert limits.parse_dataset("mnist") == "mnist"  # a name goes first
    assert limits.parse_dataset("./mnist") == str(tmp_path / "mnist")
    with pytest.raises(
        ConfigError, match=r"'own.zip' is neither a folder nor an .npz \(a zip archive\): "
    ):
        limits.parse_dataset("own.zip")
    with pytest.raises(ConfigError, match=r"'./gone' is not there: "):
        limits.parse_dataset("./gone")


def test_every_knob_can_be_turned_by_a_planned_change() -> None:
    assert {field for field, _ in CHANGES.values()} == {field.name for field in fields(Knobs)}
