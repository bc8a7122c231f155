"""Keras models that a script trains without a word of bntui: found, told apart, and left as they are."""

import re
from pathlib import Path

from bntui.store.database import Store
from tests.probe.watching.processes import PYTHON, WATCH, run

MODELS = """
import os
os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np

keras.utils.set_random_seed(3)
images, labels = np.random.rand(48, 5), np.random.rand(48, 1)

def network(name, norm=True):
    layers = [keras.layers.Input((5,)), keras.layers.Dense(4)]
    layers += [keras.layers.BatchNormalization()] if norm else []
    model = keras.Sequential([*layers, keras.layers.Dense(1)], name=name)
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return model

def fit(model, **how):
    history = model.fit(images, labels, batch_size=8, verbose=0, **how).history
    print(model.name, history, [one.tolist() for one in model.get_weights()][-1])
"""
SEVERAL = """
first = network("first")
fit(first, epochs=1)
fit(first, epochs=2, validation_split=0.5)
fit(network("plain", norm=False))
step = network("step")
for at in range(0, 24, 8):
    print(step.train_on_batch(images[at:at + 8], labels[at:at + 8]))
slow = network("slow")
slow.compile(keras.optimizers.SGD(0.01, gradient_accumulation_steps=2), "mse")
fit(slow)
"""
OWN = """
import bntui
fit(network("own"), callbacks=[bntui.KerasCallback(store=False)])
model = network("other")
fit(model)
"""


def watched(told: str) -> list[tuple[str, str]]:
    """Return the updates and the models that paragraphs tell of, in their order."""
    return re.findall(r"bntui watched ([\d,]+) updates of (\w+)", told)


def test_keras_models_are_found_as_they_are_fitted(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(MODELS + SEVERAL)
    plain = run(tmp_path, *PYTHON, "train.py")
    done = run(tmp_path, *WATCH, "--no-store", "train.py")
    assert (done.returncode, done.stdout) == (0, plain.stdout)
    assert watched(done.stderr) == [("12", "first"), ("3", "step"), ("3", "slow")]
    assert "bntui:" not in done.stderr


def test_they_are_told_of_in_the_words_of_keras(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(MODELS + "fit(network('one'), epochs=2)")
    assert run(tmp_path, *WATCH, "--every", "4", "train.py").returncode == 0
    with Store() as store:
        (watched,) = [run.watched for run in store.runs()]
    assert watched
    assert (watched.model, watched.convention, watched.momentum) == ("one", "keras", 0.99)


def test_a_model_with_a_callback_of_ours_is_watched_once(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(MODELS + OWN)
    done = run(tmp_path, *WATCH, "--no-store", "train.py")
    assert done.returncode == 0
    assert watched(done.stderr) == [("6", "own"), ("6", "other")]
