"""Keras 3 on torch: compile, fit, and a validation at the end of each epoch."""

import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import torch

import bntui
from tests.probe.watching.scripts.common import CLASSES, SIDE, WATCHED, Images, keep

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
watching = {"validation": (others, other_targets), "training": (pixels, targets), "every": 4}
history = model.fit(
    pixels,
    targets,
    batch_size=16,
    epochs=2,
    validation_data=(others, other_targets),
    callbacks=[bntui.KerasCallback(**watching)] if WATCHED else [],
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
