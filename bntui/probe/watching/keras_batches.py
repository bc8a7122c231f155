"""The updates of one of Keras's models by the batches that it is trained on."""

from typing import Any

from bntui.probe.watching.watched_training import Watching


class KerasBatches:
    """Tells of the updates that nobody else has told of: a training step that is compiled calls no hook."""

    def __init__(self, model: Any, watching: Watching) -> None:
        self._model, self._watching = model, watching
        self._batches, self._updates = 0, watching.updates

    def ended(self) -> None:
        """Take note of a batch that has ended. Gradients of several may be accumulated to one update."""
        self._batches += 1
        together = getattr(self._model.optimizer, "gradient_accumulation_steps", None) or 1
        if self._batches % together == 0:
            if self._watching.updates == self._updates:
                self._watching.step()
            self._updates = self._watching.updates
