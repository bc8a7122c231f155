"""The callback in Keras's `fit`, on torch."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

import bntui
from bntui.measure.layers import layers_of
from bntui.probe.keras_model import KerasModel
from tests.probe.callbacks.trainings import CLASSES, images, kept

os.environ["KERAS_BACKEND"] = "torch"
import keras

# Keras's own: numpy 2 asks for an argument that its variables don't know yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def arrays(count: int, seed: int = 0) -> tuple[Any, Any]:
    inputs, labels = images(count, seed).tensors
    return inputs.movedim(1, -1).contiguous().numpy(), labels.numpy()


def network(momentum: float = 0.9, **given: Any) -> Any:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((6, 6, 2)),
            layers.Conv2D(6, 3, use_bias=False, activity_regularizer="l2"),
            layers.BatchNormalization(momentum=momentum, name="first"),
            layers.Dropout(0.2),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(8),
            layers.BatchNormalization(momentum=momentum, scale=False, name="second"),
            layers.ReLU(),
            layers.Dense(CLASSES),
        ],
        name="small",
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01, **given), loss, metrics=["accuracy"])
    return model


def fitted(model: Any, *callbacks: Any) -> dict[str, list[float]]:
    history = model.fit(
        *arrays(96),
        batch_size=12,
        epochs=2,
        validation_data=arrays(48, 1),
        callbacks=list(callbacks),
        verbose=0,
    )
    return history.history  # type: ignore[no-any-return]


def statistics(model: Any) -> Tensor:
    """Return the running statistics (2, C) of a model, of all layers one after the other."""
    seen = KerasModel(model)
    seen.detach()
    layers = [layer for _, layer in layers_of(seen)]
    return torch.cat([torch.stack([*one.buffers()]) for one in layers], dim=1)


def losses_of(model: Any) -> list[float]:
    """Have a model remember the loss of every step."""
    compute, found = model._compute_loss, []

    def remembered(*given: Any, **named: Any) -> Any:
        loss = compute(*given, **named)
        if named.get("training"):
            found.append(loss.item())
        return loss

    vars(model)["_compute_loss"] = remembered
    return found


def test_a_fit_is_watched_and_left_as_it_was(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    plain, watched = network(), network()
    losses = losses_of(plain)
    history = fitted(plain)
    callback = bntui.KerasCallback(
        validation=arrays(48, 1), training=arrays(96), every=5, store=store
    )
    keras.utils.set_random_seed(0)
    assert fitted(watched, callback) == history
    assert all(map(np.array_equal, watched.get_weights(), plain.get_weights()))
    every = zip(watched.optimizer.variables, plain.optimizer.variables, strict=True)
    assert all(torch.equal(one.value, other.value) for one, other in every)
    run = kept(store)
    assert (run.state, run.updates) == ("finished", 16)
    assert run.losses == pytest.approx(losses)
    assert {"val_acc", "drift:first", "drift:second"} <= run.series
    assert (run.watched.model, run.watched.score) == ("small", "accuracy")
    assert run.watched.findings
    said = " ".join(part for one in run.watched.findings for part in (*one.evidence, *one.remedies))
    assert "torch's" not in said
    assert (run.watched.convention, run.watched.momentum) == ("keras", 0.9)
    assert run.watched.optimizer == "Adam"
    assert run.watched.learning_rate == pytest.approx(0.01)
    assert not any("forward" in vars(layer) for layer in watched.layers)


class Rows(bntui.KerasCallback):  # type: ignore[misc]
    """Keeps what the rows are at the end."""

    def on_train_end(self, logs: Any = None) -> None:
        watching = self._watcher.watching
        if watching:
            names = ("0.5", "0.9", "0.99", "0.999")
            self.rows = {name: watching.statistics.row(name).clone() for name in names}
        super().on_train_end(logs)


def test_rows_are_those_of_a_fit_with_another_momentum() -> None:
    watched = network()
    callback = Rows(store=False)
    fitted(watched, callback)
    for name, row in callback.rows.items():
        replay = network(momentum=float(name))
        fitted(replay)
        torch.testing.assert_close(row, statistics(replay), rtol=2e-5, atol=1e-6)


def test_a_model_is_watched_without_callback(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    plain, watched = network(), network()
    history, apply = fitted(plain), keras.optimizers.Optimizer.apply
    keras.utils.set_random_seed(0)
    with bntui.watch(watched, store=store, every=4):
        assert fitted(watched) == history
    assert all(map(np.array_equal, watched.get_weights(), plain.get_weights()))
    run = kept(store)
    assert (run.state, run.updates, run.watched.model) == ("finished", 16, "small")
    assert keras.optimizers.Optimizer.apply is apply


def test_updates_are_counted_where_hooks_are_not_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "runs.db"
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)  # as within a compiled step
    fitted(network(), bntui.KerasCallback(store=store))
    assert kept(store).updates == 16


def test_accumulated_gradients_are_one_update(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    fitted(network(gradient_accumulation_steps=4), bntui.KerasCallback(store=store))
    assert kept(store).updates == 4


def test_loaders_of_batches_are_taken_as_they_are(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    loader = DataLoader(TensorDataset(*map(torch.as_tensor, arrays(48, 1))), 16)
    fitted(network(), bntui.KerasCallback(validation=loader, every=8, store=store, name="mine"))
    run = kept(store)
    assert (run.watched.model, run.watched.score) == ("mine", "accuracy")


def test_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(bntui.ProbeError, match=r"Keras runs on jax.*KERAS_BACKEND=torch"):
        bntui.KerasCallback()
