"""`bntui.watch`: a training of the user's own, seen live in another terminal, and left as it is."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from torch import nn
from torch.optim import Optimizer

from bntui.core.watched import Found
from bntui.probe.errors import ProbeError
from bntui.probe.passes import Forward
from bntui.probe.scoring import Metric
from bntui.probe.watching.arguments import Watch
from bntui.probe.watching.watched_training import Watching


def watch(
    model: nn.Module,
    *,
    validation: Iterable[Any] | None = None,
    training: Iterable[Any] | None = None,
    optimizer: Optimizer | Iterable[Optimizer] | None = None,
    every: int | None = None,
    share: float = 0.05,
    store: str | os.PathLike[str] | bool | None = None,
    name: str = "",
    on_verdict: Callable[[Found], object] | None = None,
    control: bool = False,
    forward: Forward | None = None,
    metric: Metric | None = None,
) -> Watching:
    """Watch the training of `model` from here on, while the user's own loop trains it; change nothing of it.

    Every update is seen by what it does to the BN layers' running statistics; `bntui attach` shows it
    live. With `validation`, batches as `bntui.check` takes them, the weights are validated under running and
    under fresh statistics; these are of `training` batches, where given, else of the last updates' own.
    Looks keep to a `share` of the time, or come `every` so many updates. `optimizer` is whose steps are
    updates (default: of every torch optimiser that holds a parameter of the model). `store` is the file that
    the run is kept in, False for none; `on_verdict` is called with what a look found first, when that
    changes; `control` lets `bntui attach` ask for a recalibration. `forward` and `metric` are as in `bntui.check`.

    Use it in a `with` block, or call `close()`. Raises ProbeError (one sentence) for what can't be watched.
    """
    _refuse_numbers(every, share)
    if optimizer is not None and not isinstance(optimizer, Optimizer | Iterable):
        raise ProbeError(
            f"optimizer is of the type {type(optimizer).__name__}: give an optimiser, or several in a list."
        )
    how = Watch(
        validation, training, optimizer, every, share, store, name, on_verdict, control, forward, metric
    )  # fmt: skip
    return Watching(model, how)


def _refuse_numbers(every: Any, share: Any) -> None:
    """Raise ProbeError for numbers out of bounds."""
    if every is not None and (isinstance(every, bool) or not isinstance(every, int) or every < 1):
        raise ProbeError(f"every must be a whole number of updates from 1 on: {every!r} was given.")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0.0 <= share <= 1.0:
        raise ProbeError(f"share must be a number from 0 to 1: {share!r} was given.")
