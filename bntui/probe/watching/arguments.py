"""The arguments of `bntui.watch`, as one value."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.optim import Optimizer

from bntui.core.watched import Found
from bntui.machine.places import store_path
from bntui.probe.passes import Forward
from bntui.probe.scoring import Metric
from bntui.store.recorder import StoreRecorder


@dataclass(frozen=True, slots=True)
class Watch:
    """How a training is watched: the arguments of `watch`."""

    validation: Iterable[Any] | None = None
    training: Iterable[Any] | None = None
    optimizer: Optimizer | Iterable[Optimizer] | None = None
    every: int | None = None
    share: float = 0.05
    store: str | os.PathLike[str] | bool | None = None
    name: str = ""
    on_verdict: Callable[[Found], object] | None = None
    control: bool = False
    forward: Forward | None = None
    metric: Metric | None = None

    @property
    def optimizers(self) -> tuple[Optimizer, ...]:
        """The optimisers that are named."""
        named = self.optimizer
        return (named,) if isinstance(named, Optimizer) else tuple(named or ())

    @property
    def file(self) -> Path:
        """The file that the run is kept in, unless `store` is False."""
        given = self.store
        return store_path() if given is None or isinstance(given, bool) else Path(given)

    def recorder(self) -> StoreRecorder | None:
        """Return what keeps the run; None if nothing does."""
        return None if self.store is False else StoreRecorder(self.file)
