"""A callback of Lightning's: `Trainer(callbacks=[bntui.LightningCallback()])`."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Unpack

from bntui.probe.callbacks.watcher import Keywords, MissingLibraryError, Watcher

NAMES = ("lightning.pytorch", "pytorch_lightning")
"""The library's two names: the class is made of the one that is loaded, else of one that is installed.
The trainers of both take it."""


def _base() -> Any:
    for name in sorted(NAMES, key=lambda name: name not in sys.modules):
        try:
            return import_module(name).Callback
        except ModuleNotFoundError as error:
            if error.name not in {name, name.partition(".")[0]}:
                raise
    raise MissingLibraryError("LightningCallback", "lightning")


if TYPE_CHECKING:
    from lightning.pytorch import Callback
else:
    Callback = _base()


class LightningCallback(Callback):
    """Watches the module that a trainer fits. Takes the keywords of `bntui.watch`.

    Where no `validation` is given it is the trainer's first validation loader, if the module or `forward` can
    be called with its batches; False leaves it out.
    """

    def __init__(self, **keywords: Unpack[Keywords]) -> None:
        super().__init__()
        self._watcher = Watcher(keywords)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to watch. Raises ProbeError."""
        self._watcher.begin(pl_module, _validation(trainer))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """End the watching."""
        self._watcher.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End the watching of a training that failed or was interrupted."""
        self._watcher.end(exception)


def _validation(trainer: Any) -> Any:
    """Return the trainer's first validation loader, None where it has none."""
    loaders = trainer.val_dataloaders
    return next(iter(loaders), None) if isinstance(loaders, list | tuple) else loaders
