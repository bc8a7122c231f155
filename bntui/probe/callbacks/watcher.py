"""What every callback does: watch a model from the beginning of its training to the end."""

import os
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypedDict

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from bntui.core.watched import Found
from bntui.measure.unchanged import unchanged
from bntui.probe.batches import at_most, first, size
from bntui.probe.calling import output_tensor, refuse_loss
from bntui.probe.errors import ProbeError
from bntui.probe.loader_streams import loader_unchanged
from bntui.probe.passes import Forward, run
from bntui.probe.watching.watch import watch
from bntui.probe.watching.watched_training import Watching

FEW = 4
"""Samples on which a library's own validation data are tried."""


class Keywords(TypedDict, total=False):
    """The keywords of `bntui.watch`, which every callback takes."""

    validation: Iterable[Any] | Literal[False] | None
    """False for none, also where the library has one."""
    training: Iterable[Any] | None
    optimizer: Optimizer | Iterable[Optimizer] | None
    every: int | None
    share: float
    store: str | os.PathLike[str] | bool | None
    name: str
    on_verdict: Callable[[Found], object] | None
    control: bool
    forward: Forward | None
    metric: Callable[[Any, Any], Tensor] | None


class MissingLibraryError(ProbeError, ImportError):
    """The library that a callback is for is not installed."""

    def __init__(self, callback: str, package: str) -> None:
        super().__init__(f"bntui.{callback} needs the package {package}: pip install {package}.")


class Watcher:
    """Watches one training at a time: one whose end its library does not tell ends when the next begins."""

    def __init__(self, keywords: Keywords) -> None:
        self._given: dict[str, Any] = {
            name: value for name, value in keywords.items() if value is not None
        }
        self.watching: Watching | None = None
        """What watches the training under way."""

    def begin(self, model: nn.Module, validation: Iterable[Any] | None = None) -> None:
        """Watch a training that begins. Raises ProbeError.

        `validation` is the library's own: where it can't be used, the training is watched without.
        """
        self.end()
        how: dict[str, Any] = dict(self._given)
        asked = how.pop("validation", None)
        if asked is None and self._can_use(model, validation):
            asked = validation
        self.watching = watch(model, validation=None if asked is False else asked, **how)

    def _can_use(self, model: nn.Module, validation: Iterable[Any] | None) -> bool:
        """Tell whether a model runs on a loader that the user has not chosen for it; changes nothing."""
        if validation is None:
            return False
        forward, metric = self._given.get("forward"), self._given.get("metric")
        try:
            with unchanged(model), loader_unchanged(validation), torch.no_grad():
                model.eval()
                for batch in first(validation, 1, "validation"):
                    few = at_most(batch, FEW)
                    outputs = run(model, few, forward)
                    if metric is None:
                        refuse_loss(output_tensor(outputs), size(few))
        except Exception:  # whatever the user's module raises
            return False
        return True

    def end(self, error: BaseException | None = None) -> None:
        """End the watching of a training, after an error if there was one, and print what was found."""
        watching, self.watching = self.watching, None
        if watching:
            watching.__exit__(type(error) if error else None, error, None)
