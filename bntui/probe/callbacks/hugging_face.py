"""A callback of Hugging Face's: `Trainer(callbacks=[bntui.TransformersCallback()])`."""

from typing import Any, Unpack

from bntui.probe.callbacks.watcher import Keywords, MissingLibraryError, Watcher

try:
    from transformers import TrainerCallback
except ModuleNotFoundError as error:
    if error.name != "transformers":
        raise
    raise MissingLibraryError("TransformersCallback", "transformers") from None


class TransformersCallback(TrainerCallback):
    """Watches the model that a `Trainer` trains. Takes the keywords of `bntui.watch`.

    A callback is not told the validation data before they are used. Give them once there is a trainer:
    `trainer.add_callback(bntui.TransformersCallback(validation=trainer.get_eval_dataloader()))`.
    """

    def __init__(self, **keywords: Unpack[Keywords]) -> None:
        super().__init__()
        self._watcher = Watcher(keywords)

    def on_train_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        """Begin to watch. Its updates are the steps of the trainer's torch optimiser."""
        self._watcher.begin(known["model"])

    def on_train_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        """End the watching."""
        self._watcher.end()
