"""A Keras model seen as a torch module: the same tensors, the same statistics, nothing changed."""

import os
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import bntui
from bntui.measure.layers import layers_of
from bntui.probe.keras_model import BatchNormalization, KerasModel, is_keras

os.environ["KERAS_BACKEND"] = "torch"
import keras

COUNT = 64

# Keras's own: numpy 2 asks for an argument that its variables don't know yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def samples() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.random((COUNT, 6, 6, 2)).astype(np.float32), rng.integers(0, 3, COUNT)


def built() -> Any:
    keras.utils.set_random_seed(0)
    block = keras.Sequential(
        [keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization(momentum=0.8, name="norm")],
        name="block",
    )
    inputs = keras.Input((6, 6, 2))
    hidden = keras.layers.BatchNormalization(scale=False, name="first")(inputs)
    hidden = keras.layers.Dropout(0.3)(block(hidden))
    outputs = keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(hidden))
    model = keras.Model(inputs, outputs, name="net")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss=loss)
    return model


def test_its_layers_are_found_by_their_paths_in_the_order_of_the_model() -> None:
    seen = KerasModel(built())
    assert [name for name, _ in layers_of(seen)] == ["first", "block/norm"]
    first, second = (layer for _, layer in layers_of(seen))
    assert [first.momentum, second.momentum] == [0.01, 0.2]
    assert [first.eps, first.weight] == [0.001, None]


def test_the_tensors_are_the_models_own() -> None:
    model = built()
    seen = KerasModel(model)
    buffers = [one for name, one in seen.named_buffers() if not name.endswith("_tracked")]
    ours = {one.data_ptr() for one in (*seen.parameters(), *buffers)}
    assert ours == {variable.value.data_ptr() for variable in model.variables}
    with torch.no_grad():
        dict(layers_of(seen))["first"].running_mean.fill_(7.0)  # type: ignore[operator]
    assert (np.array(model.get_layer("first").moving_mean) == 7.0).all()


def test_hooks_see_what_each_layer_gets_and_whether_it_trains(samples: tuple[Any, Any]) -> None:
    model = built()
    seen = KerasModel(model)
    first = dict(layers_of(seen))["first"]
    calls: list[tuple[bool, tuple[int, ...]]] = []
    means: list[Tensor] = []

    def before(layer: Any, inputs: Any) -> None:
        calls.append((layer.training, tuple(inputs[0].shape)))
        means.append(layer.running_mean.clone())

    first.register_forward_pre_hook(before)
    first.register_forward_hook(lambda layer, *_: means.append(layer.running_mean.clone()))
    model.fit(*samples, batch_size=32, verbose=0)
    model.predict(samples[0], batch_size=64, verbose=0)
    assert calls == [(True, (32, 2, 6, 6)), (True, (32, 2, 6, 6)), (False, (64, 2, 6, 6))]
    changed = [not torch.equal(one, other) for one, other in pairwise(means)]
    assert changed == [True, False, True, False, False]  # in each call of training
    assert first.training  # at rest as before
    seen.detach()
    model.predict(samples[0], verbose=0)
    assert len(calls) == 3
    assert "forward" not in vars(model.get_layer("first"))


def test_training_mode_is_keras_training(samples: tuple[Any, Any]) -> None:
    model = built()
    seen = KerasModel(model)
    images = torch.tensor(samples[0])
    with torch.no_grad():
        running = seen.eval()(images)
        before = seen.get_buffer("first.running_mean").clone()
        assert torch.equal(running, model(images))
        seen.train()(images)
    moved = seen.get_buffer("first.running_mean")
    torch.testing.assert_close(moved, 0.99 * before + 0.01 * images.mean((0, 1, 2)))


def test_calls_in_training_are_counted_from_the_start(samples: tuple[Any, Any]) -> None:
    model = built()
    seen = KerasModel(model)
    model.fit(*samples, batch_size=16, verbose=0, validation_data=samples)
    assert seen.get_buffer("first.num_batches_tracked") == 4
    assert dict(layers_of(KerasModel(model)))["first"].num_batches_tracked is None


def test_a_layer_that_is_not_trainable_does_not_train() -> None:
    model = built()
    model.get_layer("first").trainable = False
    first, second = (layer for _, layer in layers_of(KerasModel(model).train()))
    assert not first.training
    assert second.training


def test_batch_renormalisation_is_left_out() -> None:
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.BatchNormalization(renorm=True, name="renorm"),
            keras.layers.BatchNormalization(name="plain"),
        ]
    )
    seen = KerasModel(model)
    assert [name for name, _ in layers_of(seen)] == ["plain"]
    assert seen.skipped == ("renorm",)


def test_a_check_leaves_training_as_it_would_have_been(samples: tuple[Any, Any]) -> None:
    batches = [tuple(map(torch.tensor, samples))]
    results = []
    for checked in (False, True):
        model = built()
        for _ in range(2):  # dropout's seeds go on from one to the next
            model.fit(*samples, batch_size=16, verbose=0, shuffle=False)
            if checked:
                report = bntui.check(model, batches, batches)
                assert [layer.kind for layer in report.layers] == ["BatchNormalization"] * 2
        results.append(model.get_weights())
    assert all(np.array_equal(*both) for both in zip(*results, strict=True))


def test_recalibrating_pools_biased_statistics_and_is_undone(samples: tuple[Any, Any]) -> None:
    model = built()
    images, labels = map(torch.tensor, samples)
    before = model.get_weights()
    batches = [(images[start : start + 16], labels[start : start + 16]) for start in (0, 16, 32)]
    restore = bntui.recalibrate(model, batches)
    assert (len(restore.layers), restore.samples) == (2, 48)
    first, whole = model.get_layer("first"), images[:48].flatten(0, 2)
    torch.testing.assert_close(first.moving_mean.value.detach(), whole.mean(0))
    torch.testing.assert_close(first.moving_variance.value.detach(), whole.var(0, correction=0))
    restore.undo()
    assert all(np.array_equal(*both) for both in zip(before, model.get_weights(), strict=True))
    assert "forward" not in vars(first)


def test_a_model_without_its_layers_is_refused() -> None:
    model = keras.Sequential([keras.layers.BatchNormalization()])
    with pytest.raises(bntui.ProbeError, match="no layers yet"):
        bntui.watch(model)


def test_a_model_of_another_backend_is_refused() -> None:
    other = type("Model", (), {"name": "net", "__module__": "keras.src.models.model"})()
    with pytest.raises(bntui.ProbeError, match="KERAS_BACKEND=torch"):
        bntui.watch(other)


def test_models_are_told_apart() -> None:
    assert is_keras(built())
    assert not is_keras(torch.nn.Linear(1, 1))
    assert not is_keras(BatchNormalization)
