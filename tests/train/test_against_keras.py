"""The network, its statistics and its optimiser against Keras itself, which the thread used.

The thread's model is built here as its posts list it and given the same images in the same order.
Training amplifies the last bit (0.008 in the loss after five updates), so trajectories can't be
compared: every batch starts from Keras's weights and Keras's moving statistics.
"""

import os

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from benchmarks.thread_model import keras_model
from bntui.core.config import Knobs, RunConfig
from bntui.data import dataset
from bntui.data.dataset import Dataset, Split
from bntui.measure.estimators import OWN, initial
from bntui.measure.norms import BatchNorm
from bntui.train.model import parameter_count
from bntui.train.optimisers import KerasAdam
from bntui.train.trainer import Trainer

os.environ["KERAS_BACKEND"] = "torch"
import keras

Array = npt.NDArray[np.float32]
CPU = torch.device("cpu")
TOLERANCE = 1e-4
"""Of a layer's RMS. Float32 sums in another order differ by less; another formula by far more."""

# Keras's own: numpy 2 asks for an argument that its variables don't know yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def ours(name: str, value: Array) -> Tensor:
    """Bring one of a Keras layer's tensors into torch's order of axes.

    Keras flattens height, width, channels; torch channels, height, width.
    """
    if name == "flatten_bn":
        value = value.reshape(7, 7, 64).transpose(2, 0, 1).reshape(-1)
    elif name == "dense1" and value.ndim == 2:
        value = value.reshape(7, 7, 64, 512).transpose(3, 2, 0, 1).reshape(512, -1)
    elif value.ndim == 2:
        value = value.T
    elif value.ndim == 4:
        value = value.transpose(3, 2, 0, 1)
    return torch.from_numpy(value.copy())


class Pair:
    """A Keras model and a Trainer of ours on the same digits."""

    def __init__(self, images: int, *, batch_norm: bool = True) -> None:
        digits = dataset.load("digits", train_size=images, device=CPU)
        few = Split(digits.validation.images[:100], digits.validation.labels[:100])
        beside = Dataset("digits", digits.train, few, digits.class_names)
        self.trainer = Trainer(RunConfig(norm="batch" if batch_norm else "none"), beside, CPU)
        self.keras = keras_model(batch_norm=batch_norm)
        self._position = 0

    def copy_from_keras(self) -> None:
        """Give our network Keras's weights, and our own row Keras's moving statistics."""
        with torch.no_grad():
            for name, layer in self.trainer.model.named_children():
                if not list(layer.parameters()):
                    continue
                weight, bias, *_ = self.keras.get_layer(name).get_weights()
                assert isinstance(layer.weight, Tensor)
                assert isinstance(layer.bias, Tensor)
                layer.weight.copy_(ours(name, weight))
                layer.bias.copy_(ours(name, bias))
            self.trainer.estimators[OWN].copy_(self.keras_statistics())

    def keras_statistics(self) -> Tensor:
        """Return Keras's moving statistics as a row of ours: (2, C)."""
        row = initial(self.trainer.buffers)
        for name, part in zip(self.trainer.buffers.names, self.parts(row), strict=True):
            _, _, mean, variance = self.keras.get_layer(name).get_weights()
            part.copy_(torch.stack([ours(name, mean), ours(name, variance)]))
        return row

    def parts(self, row: Tensor) -> tuple[Tensor, ...]:
        """Split a row (2, C) into its layers."""
        return torch.split(row, list(self.trainer.buffers.channels), dim=1)

    def next_batch(self, size: int) -> tuple[Tensor, Tensor]:
        """Return the images and labels that the trainer will take next."""
        index = self.trainer._order[self._position : self._position + size]
        self._position += len(index)
        train = self.trainer.dataset.train
        return train.images[index], train.labels[index]

    def predictions(self, images: Tensor, *, training: bool) -> tuple[Tensor, Tensor]:
        """Return both networks' probabilities, without moving any statistics."""
        trainer = self.trainer
        before = self.keras.get_weights()
        theirs = self.keras(for_keras(images), training=training).detach()
        self.keras.set_weights(before)
        trainer.model.train(training)
        with torch.no_grad(), trainer.buffers.holding(trainer.estimators[OWN]):
            return trainer.model(images).softmax(1), theirs

    def train_alike(self, images: Tensor, labels: Tensor, knobs: Knobs) -> None:
        """Make one update in both, from the same weights, and compare all that it leaves behind."""
        before = self.trainer.estimators[OWN].clone()
        loss = float(self.keras.train_on_batch(for_keras(images), labels.numpy()))
        self.trainer.step(knobs)
        (result,) = self.trainer.take_results()
        assert result.loss == pytest.approx(loss, rel=TOLERANCE)
        self.compare_statistics(before)
        self.compare_gradients()

    def compare_statistics(self, before: Tensor) -> None:
        rows = self.trainer.estimators[OWN], self.keras_statistics(), before
        layers = zip(*map(self.parts, rows), strict=True)
        for name, (mine, theirs, start) in zip(self.trainer.buffers.names, layers, strict=True):
            assert_close(f"{name} moving mean", mine[0], theirs[0])
            assert_close(f"{name} moving variance", mine[1], theirs[1])
            # A batch moves it by a hundredth of itself. The change alone has no start value to hide
            # behind, and tells the biased variance from the unbiased one.
            change, keras_change = mine[1] - start[1], theirs[1] - start[1]
            assert_close(f"{name} change of the moving variance", change, keras_change)

    def compare_gradients(self) -> None:
        """Compare the gradients that the update left behind."""
        for name, layer in self.trainer.model.named_children():
            if not list(layer.parameters()):
                continue
            keras_weights = self.keras.get_layer(name).trainable_weights
            for mine, theirs in zip(layer.parameters(), keras_weights, strict=True):
                assert mine.grad is not None
                gradient = ours(name, theirs.value.grad.numpy())
                # By their length: an input that is zero but for rounding switches a ReLU, and with
                # it single values of the gradient, on in one network and off in the other. Before
                # the BN of a single image gradients are zero.
                error, length = (mine.grad - gradient).norm(), gradient.norm()
                assert error < 5e-2 * length + 1e-6, f"{name} gradient {tuple(mine.shape)}: {error}"


def for_keras(images: Tensor) -> Array:
    moved: Array = images.permute(0, 2, 3, 1).numpy()
    return moved


def assert_close(what: str, mine: Tensor, theirs: Tensor) -> None:
    """Compare within a share of the RMS of Keras's values."""
    rms = theirs.square().mean().sqrt().item()
    error = (mine - theirs).abs().max().item()
    assert error <= TOLERANCE * rms, f"{what}: off by {error:.1e} at an RMS of {rms:.1e}"


def test_both_count_1_691_370_parameters() -> None:
    model = Pair(8).trainer.model
    assert keras_model().count_params() == parameter_count(model) == 1_691_370
    channels = [layer.num_features for layer in model if isinstance(layer, BatchNorm)]
    assert channels == [32, 32, 64, 3136, 512]


@pytest.mark.parametrize(
    ("size", "batch_norm"),
    [(64, True), (8, True), (8, False)],
    ids=["batch 64", "batch 8", "batch 8 without bn"],
)
def test_five_batches_give_the_same_losses_predictions_statistics_and_gradients(
    size: int, batch_norm: bool
) -> None:
    pair = Pair(4 * size + size // 2 + 1, batch_norm=batch_norm)  # the fifth batch is partial
    for _ in range(5):
        pair.copy_from_keras()
        images, labels = pair.next_batch(size)
        for training in (True, False):
            mine, theirs = pair.predictions(images, training=training)
            assert_close(f"predictions, training={training}", mine, theirs)
        pair.train_alike(images, labels, Knobs(batch_size=size))
    assert len(images) == size // 2 + 1


def test_a_last_batch_of_one_image_trains_as_in_keras() -> None:
    # torch's own BN refuses one value per channel; in Keras it becomes BN's bias.
    pair = Pair(9)
    for size in (8, 1):
        pair.copy_from_keras()
        images, labels = pair.next_batch(8)
        assert len(images) == size
        pair.train_alike(images, labels, Knobs(batch_size=8))


def test_adam_alone_steps_alike_also_where_epsilon_decides() -> None:
    # Gradients from 1 down to 1e-9. At 1e-9 epsilon outweighs them: with torch's epsilon the first
    # step alone would be 30 times too long, an error of 1e-5.
    scale = torch.logspace(0, -9, 400)
    mine = nn.Parameter(torch.zeros(400))
    theirs = keras.Variable(np.zeros(400, np.float32))
    adam, keras_adam = KerasAdam([mine]), keras.optimizers.Adam(1e-3, epsilon=1e-7)
    generator = torch.Generator().manual_seed(0)
    for _ in range(10):
        gradient = torch.randn(400, generator=generator) * scale
        mine.grad = gradient.clone()
        adam.update(1e-3)
        with torch.no_grad():
            keras_adam.apply([gradient.clone()], [theirs])
        assert (mine - theirs.value).abs().max() < 1e-6
    assert mine.detach().abs().min() > 0  # every parameter has moved
