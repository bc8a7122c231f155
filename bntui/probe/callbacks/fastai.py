"""A callback of fastai's: `learn.fit(3, cbs=bntui.FastaiCallback())`."""

import random
from typing import Any, Unpack

from torch.optim import Optimizer

from bntui.probe.callbacks.watcher import Keywords, MissingLibraryError, Watcher

try:
    from fastai.callback.core import Callback
except ModuleNotFoundError as error:
    if error.name not in {"fastai", "fastai.callback"}:
        raise
    raise MissingLibraryError("FastaiCallback", "fastai") from None


class FastaiCallback(Callback):  # type: ignore[misc]
    """Watches the model that a `Learner` fits. Takes the keywords of `bntui.watch`.

    Where no `validation` is given it is that of the learner's data; False leaves it out. The search for a
    learning rate (`lr_find`) is not watched.
    """

    def __init__(self, **keywords: Unpack[Keywords]) -> None:
        super().__init__()
        self._watcher, self._cancelled = Watcher(keywords), False

    def before_fit(self) -> None:
        """Begin to watch."""
        if not hasattr(self.learn, "lr_finder"):
            self._watcher.begin(self.learn.model, _validation(self.learn.dls))

    def after_cancel_step(self) -> None:
        """Take note that the optimiser does not step: gradients are accumulated, or not finite."""
        self._cancelled = True

    def after_step(self) -> None:
        """Take note of an update, where it is fastai's own optimiser that has stepped."""
        stepped, self._cancelled = not self._cancelled, False
        torchs = isinstance(getattr(self.learn.opt, "opt", None), Optimizer)
        if stepped and not torchs and self._watcher.watching:
            self._watcher.watching.step()

    def after_fit(self) -> None:
        """End the watching."""
        self._watcher.end()


def _validation(loaders: Any) -> Any:
    """Return a loader of its own for the validation data, without workers; None where there is none."""
    state = random.getstate()  # a new loader draws a seed
    try:
        return loaders.valid.new(num_workers=0)
    except (AttributeError, IndexError):
        return None
    finally:
        random.setstate(state)
