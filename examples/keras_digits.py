"""Keras 3 on torch: a small convolutional network on bntui's built-in digits, watched by a callback.

    python examples/keras_digits.py                     # half a minute on two cores
    bntui attach                                        # meanwhile, in another terminal

Keras's momentum is the share of the old value that an update keeps, 0.99 if nothing else is said. An epoch
is 16 updates, after three of which 0.99⁴⁸ = 62 % of the running statistics are still their start values, mean
0 and variance 1: so `val_accuracy` is that of guessing, while the network tells four of five digits.
"""

import argparse
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch

import bntui
from bntui.data.dataset import Split, load


def arrays(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images as Keras has them, float32 (N, 28, 28, 1), with their labels, int64 (N,)."""
    return split.images.movedim(1, -1).contiguous(), split.labels


def block(filters: int) -> list[keras.Layer]:
    """Return a convolution that halves the sides, BN and ReLU."""
    layers = keras.layers
    return [
        layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False),
        layers.BatchNormalization(),  # with momentum=0.9 validation is good after two epochs
        layers.ReLU(),
    ]


def network() -> keras.Model:
    """Return a compiled network of three convolutions, each with BN."""
    ends = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)]
    blocks = [*block(16), *block(32), *block(64)]
    model = keras.Sequential([keras.layers.Input((28, 28, 1)), *blocks, *ends], name="digits")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.003), loss=loss, metrics=["accuracy"])
    return model


def main() -> None:
    """Load the digits, and train a network on them that is watched."""
    parser = argparse.ArgumentParser(description="Keras on digits, watched by bntui")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=256)
    options = parser.parse_args()
    keras.utils.set_random_seed(0)
    digits = load("digits", device=torch.device("cpu"))
    training, validation = arrays(digits.train), arrays(digits.validation)
    network().fit(
        *training,
        batch_size=options.batch_size,
        epochs=options.epochs,
        validation_data=validation,
        callbacks=[bntui.KerasCallback(validation=validation, training=training)],
        verbose=2,
    )


if __name__ == "__main__":
    main()
