"""The toy's batches through a layer of Keras and of torch: equal statistics and outputs."""

import os

import numpy as np
import pytest
import torch

from bntui.core.toy import BATCH, Toy, example, next_batch, step

os.environ["KERAS_BACKEND"] = "torch"
import keras

# Keras's own: numpy 2 asks for an argument that its variables don't know yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def number(tensor: object) -> float:
    return float(np.asarray(keras.ops.convert_to_numpy(tensor)).item())


def test_keras_has_the_same_statistics_and_output() -> None:
    layer = keras.layers.BatchNormalization(momentum=0.9)
    toy = Toy()
    for _ in range(20):
        batch = np.array(next_batch(toy).values)[:, None]
        layer(batch, training=True)
        toy = step(toy, 0.9)
    assert number(layer.moving_mean) == pytest.approx(toy.running.mean, rel=1e-5)
    assert number(layer.moving_variance) == pytest.approx(toy.running.variance, rel=1e-5)
    value = example(toy)
    out = number(layer(np.array([[value]]), training=False))
    assert out == pytest.approx(toy.running.normalised(value), rel=1e-4)


def test_torch_has_one_minus_momentum_and_the_unbiased_variance() -> None:
    layer = torch.nn.BatchNorm1d(1, momentum=0.1, dtype=torch.float64)
    toy, unbiased = Toy(), 1.0
    for _ in range(20):
        batch = next_batch(toy)
        layer(torch.tensor(batch.values, dtype=torch.float64)[:, None])
        unbiased = 0.9 * unbiased + 0.1 * batch.statistics.variance * BATCH / (BATCH - 1)
        toy = step(toy, 0.9)
    assert layer.running_mean is not None
    assert layer.running_var is not None
    assert float(layer.running_mean) == pytest.approx(toy.running.mean)
    assert float(layer.running_var) == pytest.approx(unbiased)
