"""Every number a user can give wrongly gets one sentence that names it."""

import math
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from bntui.engine import config
from bntui.engine.config import (
    CHANGES,
    MOMENTA,
    Change,
    ConfigError,
    Knobs,
    RunConfig,
    looks_like_torch,
    torch_momentum,
)

Parse = Callable[[str], object]

NUMBERS: dict[Parse, tuple[str, ...]] = {
    config.parse_batch_size: ("0", "-1", "3.5", "65537", "inf"),
    config.parse_momentum: ("1.0", "1", "-0.1", "99", "inf", "-inf"),
    config.parse_learning_rate: ("0", "-1", "inf", "1.1e12", "1e-400"),
    config.parse_pace: ("0", "-1", "1001", "inf"),
    config.parse_epochs: ("0", "-1", "1.5", "100001"),
    config.parse_steps: ("0", "-3", "0.5", "inf"),
    config.parse_train_size: ("0", "-60000", "1e9"),
    config.parse_threads: ("0", "-1", "5000"),
    config.parse_seed: ("-1", "0.5", "4294967296"),
    config.parse_width: ("0", "-1", "0.01", "5"),
}
NO_NUMBERS = ("", " ", "abc", "nan", "1_000", "１２", "0x10", "1,5", "64 images", "½")
NAMES: dict[Parse, tuple[str, ...]] = {
    config.parse_dataset: (
        "",
        " ",
        "cifar",
        "mnist2",
        "/no/where",
        "no.npz",
        "~nobody/x",
        "x" * 5000,
    ),
    config.parse_device: ("", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:１", "cpu:0", "mps:1"),
    config.parse_change: (
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
    parts = [value, *re.split("[:=]", value)] if parse is config.parse_change else [value]
    if len(value) < config.LONGEST_WORD:
        assert any(repr(part) in message or f" {part} " in message for part in parts)
    else:  # named by its beginning
        assert value[:40] in message
    assert re.fullmatch(r"[a-z][^\n]*[^.]\.", message)
    assert not re.search(r"[.!?] [A-Z]", message)


GOOD: list[tuple[Parse, str, object]] = [
    (config.parse_batch_size, "1", 1),
    (config.parse_batch_size, " 4096 ", 4096),
    (config.parse_batch_size, "1e3", 1000),
    (config.parse_batch_size, "65536", 65_536),
    (config.parse_momentum, "0", 0.0),
    (config.parse_momentum, "0.999", 0.999),
    (config.parse_learning_rate, "1e-9", 1e-9),
    (config.parse_learning_rate, "100", 100.0),
    (config.parse_pace, "0.5", 0.5),
    (config.parse_pace, " Unlimited", math.inf),
    (config.parse_epochs, "10", 10),
    (config.parse_steps, "160", 160),
    (config.parse_seed, "0", 0),
    (config.parse_width, "0.03125", 0.03125),
    (config.parse_dataset, " MNIST ", "mnist"),
    (config.parse_dataset, "Fashion-MNIST", "fashion-mnist"),
    (config.parse_dataset, "cifar10", "cifar10"),
    (config.parse_dataset, "/", "/"),
    (config.parse_device, "CUDA:1", "cuda:1"),
    (config.parse_device, "auto", "auto"),
    (config.parse_change, "97:momentum=0.9", Change(97, "momentum", 0.9)),
    (config.parse_change, "0:batch=64", Change(0, "batch_size", 64)),
    (config.parse_change, "12:recalibrate", Change(12, "recalibrate")),
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
    (tmp_path / "own.zip").touch()
    assert config.parse_dataset("Own Images") == str(tmp_path / "Own Images")
    assert config.parse_dataset("./Own Images/../own.NPZ") == str(tmp_path / "own.NPZ")
    assert config.parse_dataset("mnist") == "mnist"  # a name goes first
    assert config.parse_dataset("./mnist") == str(tmp_path / "mnist")
    with pytest.raises(ConfigError, match=r"'own.zip' is neither a folder nor an .npz: "):
        config.parse_dataset("own.zip")
    with pytest.raises(ConfigError, match=r"'./gone' is not there: "):
        config.parse_dataset("./gone")


@pytest.mark.parametrize("momentum", MOMENTA)
def test_converting_to_torch_s_momentum_and_back_changes_no_bit(momentum: float) -> None:
    assert torch_momentum(torch_momentum(momentum)) == momentum


def test_torch_s_momentum_is_the_share_of_the_new_value() -> None:
    assert torch_momentum(0.99) == 0.01
    assert torch_momentum(0.9) == 0.1
    assert torch_momentum(0.0) == 1.0


def test_only_small_momenta_look_like_torch_s() -> None:
    asked = [m for m in (0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99) if looks_like_torch(m)]
    assert asked == [0.001, 0.01, 0.1]


def test_every_knob_can_be_turned_by_a_planned_change() -> None:
    assert {field for field, _ in CHANGES.values()} == {field.name for field in fields(Knobs)}


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        RunConfig().seed = 1  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Knobs().momentum = 0.5  # type: ignore[misc]
