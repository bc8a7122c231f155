"""Buffers that `DistributedDataParallel` sends from rank 0 to all other ranks before each forward pass."""

from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from bntui.probe.watching.batch_statistics import Statistics
from bntui.probe.watching.hooks import Hook


class SentBuffers:
    """Lets the statistics of another rank than 0 begin each pass with the buffers that were sent to it.

    They are written by no operation that raises a version. They come before the model inside DDP is
    called, so they are read there, and what the pass does to them is taken when it has ended.
    """

    def __init__(self, model: nn.Module, statistics: Statistics) -> None:
        inside = model.module if isinstance(model, DistributedDataParallel) else model
        self._statistics = statistics
        self._hooks = [
            inside.register_forward_pre_hook(Hook(self._begins)),
            inside.register_forward_hook(Hook(self._ended)),
        ]

    def detach(self) -> None:
        """Remove the hooks."""
        for hook in self._hooks:
            hook.remove()

    def _begins(self, model: nn.Module, inputs: Any) -> None:
        if model.training and not torch.compiler.is_compiling():
            self._statistics.pass_begins()

    def _ended(self, model: nn.Module, inputs: Any, output: Any) -> None:
        if model.training and not torch.compiler.is_compiling():
            self._statistics.pass_ended()
