"""The updates of Keras's own optimisers, which call no hook of torch's. Imports no Keras."""

import math
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary, ref

import torch

_HOME = "keras.src.optimizers.base_optimizer"


class KerasOptimizer:
    """One of Keras's optimisers by the names of torch's, as far as they are read here."""

    def __init__(self, optimizer: Any) -> None:
        self._optimizer = ref(optimizer)
        self.name = type(optimizer).__name__

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Its only group: the weights that it moves. To read this does not wait for the device."""
        optimizer = self._optimizer()
        if optimizer is None:
            return []
        return [{"params": [variable.value for variable in optimizer._trainable_variables]}]

    @property
    def learning_rate(self) -> float:
        """The learning rate, read from the device, or made by a schedule; NaN where the optimiser is gone."""
        optimizer = self._optimizer()
        return math.nan if optimizer is None else float(optimizer.learning_rate)


def attach(updated: Callable[[KerasOptimizer], None]) -> Callable[[], None] | None:
    """Call `updated` after every update by an optimiser of Keras's; return what ends that.

    None if Keras is not loaded. Batches whose gradients are only accumulated are no updates.
    """
    home = sys.modules.get(_HOME)
    if home is None:
        return None
    owner, original, active = home.BaseOptimizer, home.BaseOptimizer.apply, True
    known: WeakKeyDictionary[Any, KerasOptimizer] = WeakKeyDictionary()

    @wraps(original)
    def apply(optimizer: Any, *arguments: Any, **named: Any) -> Any:
        result = original(optimizer, *arguments, **named)
        if active and not torch.compiler.is_compiling() and _is_update(optimizer):
            updated(known.setdefault(optimizer, KerasOptimizer(optimizer)))
        return result

    def undo() -> None:
        nonlocal active
        active = False
        if owner.apply is apply:
            owner.apply = original

    owner.apply = apply
    return undo


def _is_update(optimizer: Any) -> bool:
    """Tell whether the last call has moved the weights; reads a count only where batches are accumulated."""
    batches = getattr(optimizer, "gradient_accumulation_steps", None)
    return not batches or int(optimizer._iterations.value) % batches == 0
