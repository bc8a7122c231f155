"""The updates of Keras's own optimisers, which call no hook of torch's. Imports no Keras."""

import math
import sys
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, ref

import torch

from bntui.probe.watching.own_frames import hidden
from bntui.probe.watching.replacements import Replacements

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
    known: WeakKeyDictionary[Any, KerasOptimizer] = WeakKeyDictionary()

    @hidden
    def apply(theirs: Callable[..., Any], optimizer: Any, *arguments: Any, **named: Any) -> Any:
        result = theirs(optimizer, *arguments, **named)
        if not torch.compiler.is_compiling() and _is_update(optimizer):
            updated(known.setdefault(optimizer, KerasOptimizer(optimizer)))
        return result

    replaced = Replacements()
    replaced.put(home.BaseOptimizer, "apply", apply)
    return replaced.undo


def _is_update(optimizer: Any) -> bool:
    """Tell whether the last call has moved the weights; reads a count only where batches are accumulated."""
    batches = getattr(optimizer, "gradient_accumulation_steps", None)
    return not batches or int(optimizer._iterations.value) % batches == 0
