"""Hooks on layers that leave nothing behind: neither in copies and files of a model, nor in compiled code.

Code that torch compiles with such a hook on its layers has the same graphs, breaks and guards as
without: while it is traced, the hook returns at once. What it was to see is then found by polling.
"""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import nn

from bntui.probe.watching.scriptable import make_scriptable
from bntui.probe.watching.tracked_layer import TrackedLayer

Inputs = tuple[Any, ...]
Before = Callable[[TrackedLayer, Inputs], None]
After = Callable[[TrackedLayer], None]


class Hook(partial[None]):
    """A hook that does nothing in a copy of its module, and in a file where bntui is not installed."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (getattr, (nullcontext(), "__exit__"))

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return self.__reduce__()

    def __deepcopy__(self, memo: object) -> Any:
        return nullcontext().__exit__


def hook(tracked: TrackedLayer, before: Before, after: After) -> None:
    """Call `before` ahead of every training-mode call of a layer.

    And `after` behind it, where the layer's own code may have written to its buffers. Scripts have no hooks.
    """
    if isinstance(tracked.layer, torch.jit.ScriptModule):
        return
    make_scriptable(Hook)
    layer = tracked.layer
    tracked.hooks.append(layer.register_forward_pre_hook(Hook(_before_call, tracked, before)))
    if not tracked.native:
        tracked.hooks.append(layer.register_forward_hook(Hook(_after_call, tracked, after)))


def hook_first_call(layer: nn.Module, born: Callable[[nn.Module, Inputs], None]) -> Any:
    """Call `born` ahead of a layer's calls, of any mode; return what removes the hook."""
    return layer.register_forward_pre_hook(Hook(_first_call, layer, born))


def _before_call(tracked: TrackedLayer, before: Before, layer: nn.Module, inputs: Inputs) -> None:
    if torch.compiler.is_compiling():
        return
    # Replicas of `DataParallel` have the hooks of what they are made of.
    if layer.training and layer is tracked.layer:
        before(tracked, inputs)


def _after_call(
    tracked: TrackedLayer, after: After, layer: nn.Module, _inputs: Inputs, _output: object
) -> None:
    if torch.compiler.is_compiling():
        return
    if tracked.pending is not None and layer is tracked.layer:
        after(tracked)


def _first_call(
    own: nn.Module,
    born: Callable[[nn.Module, Inputs], None],
    layer: nn.Module,
    inputs: Inputs,
) -> None:
    if torch.compiler.is_compiling():
        return
    if layer is own:
        born(layer, inputs)
