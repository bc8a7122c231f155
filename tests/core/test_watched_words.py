"""What is known of a watched training, in words."""

import math

import pytest

from bntui.core.watched import Watched
from bntui.core.watched_words import (
    described,
    keras_momentum,
    known,
    momentum_words,
    repeating,
    title,
)

TORCH = Watched("train.py --epochs 9", "ResNet", momentum=0.1, batch_size=32)
KERAS = Watched("fit.py", "Sequential", convention="keras", momentum=0.99)


def test_momentum_is_in_the_users_convention_and_keras_for_sorting() -> None:
    assert momentum_words(TORCH) == "0.1 (torch's)"
    assert momentum_words(KERAS) == "0.99 (Keras's)"
    assert (keras_momentum(TORCH), keras_momentum(KERAS)) == (0.9, 0.99)
    assert math.isnan(keras_momentum(Watched("a", "b")))


def test_what_is_not_known_is_a_dash_and_none() -> None:
    unknown = Watched("a.py", "Net")
    assert dict(described(unknown)) == {
        "script": "a.py",
        "model": "Net",
        **dict.fromkeys(("batch size", "momentum", "optimiser", "learning rate"), "–"),
    }
    assert {name for name, value in known(unknown).items() if value is None} == {
        *("batch_size", "momentum", "optimizer", "learning_rate")
    }


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("train.py --epochs 9", "bntui watch train.py --epochs 9"),
        ("python train.py", "bntui watch train.py"),
        ("-m package.train 'a b'", "bntui watch -m package.train 'a b'"),
    ],
)
def test_the_line_that_watches_it_anew(script: str, line: str) -> None:
    assert repeating(Watched(script, "Net")) == line


def test_a_title_has_script_and_model() -> None:
    assert title(TORCH) == "train.py --epochs 9 · ResNet"
