"""A callback of Keras 3's, on the torch backend: `model.fit(…, callbacks=[bntui.KerasCallback()])`."""

from typing import Any, Unpack

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from bntui.probe.callbacks.watcher import Keywords, MissingLibraryError, Watcher
from bntui.probe.errors import ProbeError
from bntui.probe.watching.keras_batches import KerasBatches

try:
    import keras
except ModuleNotFoundError as error:
    if error.name != "keras":
        raise
    raise MissingLibraryError("KerasCallback", "keras") from None

BATCH_SIZE = 32
"""Keras's own default."""


class KerasCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Watches the model that is fitted. Takes the keywords of `bntui.watch`.

    `validation` and `training` may be what `fit` gets: (inputs, targets) as arrays. Training batches are then
    made as `fit` does by default, in random order. Raises ProbeError where Keras doesn't run on torch.
    """

    def __init__(self, **keywords: Unpack[Keywords]) -> None:
        super().__init__()
        if keras.backend.backend() != "torch":
            raise ProbeError(
                f"Keras runs on {keras.backend.backend()}, and only its training on torch can be watched: set "
                "KERAS_BACKEND=torch before it is imported."
            )
        keywords["validation"] = _batches(keywords.get("validation"))
        keywords["training"] = _batches(keywords.get("training"), shuffled=True)
        self._watcher = Watcher(keywords)
        self._batches: KerasBatches | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin to watch. Raises ProbeError."""
        self._watcher.begin(self.model)
        if watching := self._watcher.watching:
            self._batches = KerasBatches(self.model, watching)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Take note of an update that nobody has told of, since the training step is compiled."""
        if self._batches:
            self._batches.ended()

    def on_train_end(self, logs: Any = None) -> None:
        """End the watching."""
        self._batches = None
        self._watcher.end()


def _batches(data: Any, *, shuffled: bool = False) -> Any:
    """Return a loader of arrays that are inputs and targets, as `fit` takes them; else what is given."""
    arrays = isinstance(data, tuple) and len(data) > 1
    if not arrays or not all(isinstance(one, np.ndarray | torch.Tensor) for one in data):
        return data
    tensors = TensorDataset(*map(torch.as_tensor, data))
    own = torch.Generator()  # the user's random stream is not drawn from
    return DataLoader(tensors, BATCH_SIZE, shuffle=shuffled, generator=own)
