"""What every callback does: watch a model from the beginning of its training to the end."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Literal, TypedDict

from torch import Tensor, nn
from torch.optim import Optimizer

from bntui.core.watched import Found
from bntui.probe.errors import ProbeError
from bntui.probe.passes import Forward
from bntui.probe.watching.watch import watch
from bntui.probe.watching.watched_training import Watching


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
        self._given = {name: value for name, value in keywords.items() if value is not None}
        self.watching: Watching | None = None
        """What watches the training under way."""

    def begin(self, model: nn.Module, validation: Iterable[Any] | None = None) -> None:
        """Watch a training that begins. Raises ProbeError.

        `validation` is the library's own: where it can't be used, the training is watched without.
        """
        self.end()
        asked = self._given.get("validation")
        how: dict[str, Any] = dict(self._given)
        if asked is None and validation is not None:
            with suppress(Exception):  # the user has not asked for it
                self.watching = watch(model, **{**how, "validation": validation})
                return
        self.watching = watch(model, **{**how, "validation": None if asked is False else asked})

    def end(self, error: BaseException | None = None) -> None:
        """End the watching of a training, after an error if there was one, and print what was found."""
        watching, self.watching = self.watching, None
        if watching:
            watching.__exit__(type(error) if error else None, error, None)
