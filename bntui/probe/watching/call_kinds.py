"""Which of a layer's calls are recomputed in a backward pass, as activation checkpointing does."""

import sys
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bntui.probe.watching.hooks import Hook

MOST_CALLS = 4096
"""Calls after which nothing more is counted: hooks cost time."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Calls in training mode while they were counted, summed over layers."""

    recomputed: int
    """Within a backward pass: activation checkpointing."""
    others: int


def can_count() -> bool:
    """Tell whether hooks can be added at no cost: compiled code is compiled again where there are new ones."""
    utils = sys.modules.get("torch._dynamo.utils")
    return utils is None or not utils.counters["stats"]["unique_graphs"]


class CallKinds:
    """Counts calls by hooks of its own, until it is asked what it has seen."""

    def __init__(self, layers: list[nn.Module]) -> None:
        self._recomputed, self._others = 0, 0
        self._hooks: list[Any] = [one.register_forward_pre_hook(Hook(self._note)) for one in layers]

    def seen(self) -> Kinds | None:
        """Remove the hooks, and return the counts; None where no layer was called."""
        self.close()
        if not self._recomputed + self._others:
            return None
        return Kinds(self._recomputed, self._others)

    def close(self) -> None:
        """Remove the hooks."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def _note(self, layer: nn.Module, _inputs: Any) -> None:
        if torch.compiler.is_compiling():
            return
        if not layer.training or self._recomputed + self._others >= MOST_CALLS:
            return
        # The id of the backward pass that this thread is in, −1 outside of one.
        if torch._C._current_graph_task_id() != -1:
            self._recomputed += 1
        else:
            self._others += 1
