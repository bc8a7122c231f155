"""Keras 3 on torch: compile, fit, and a validation at the end of each epoch."""

import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import torch
from torch.utils.data import DataLoader, TensorDataset

from tests.probe.watching.scripts.common import CLASSES, SIDE, Images, keep, watched

keras.utils.set_random_seed(6)
training, validation = Images(160, 4), Images(64, 5)
model = keras.Sequential(
    [
        keras.layers.Input((SIDE, SIDE, 3)),
        keras.layers.Conv2D(8, 3, padding="same", use_bias=False),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.ReLU(),
        keras.layers.Dropout(0.1),
        keras.layers.Conv2D(16, 3, strides=2, use_bias=False),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.ReLU(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(CLASSES),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss)
pixels, others = (part.images.permute(0, 2, 3, 1).numpy() for part in (training, validation))
targets, other_targets = (part.labels.numpy() for part in (training, validation))
batches = DataLoader(TensorDataset(torch.as_tensor(pixels), torch.as_tensor(targets)), 16)
held_out = [(torch.as_tensor(others), torch.as_tensor(other_targets))]
with watched(model, validation=held_out, training=batches):
    history = model.fit(
        pixels,
        targets,
        batch_size=16,
        epochs=2,
        validation_data=(others, other_targets),
        verbose=0,
    )
for name, values in history.history.items():
    print(name, [repr(value) for value in values])
state = [torch.as_tensor(variable.value.detach()) for variable in model.optimizer.variables]


class Variables:
    """The optimiser's variables as a state dict."""

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return them by number: their names are counted anew in each process."""
        return {str(number): value for number, value in enumerate(state)}


keep(model=model, optimizer=Variables())
