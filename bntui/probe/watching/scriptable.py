"""Lets `torch.jit.script` see models without our hooks, which it would try to compile, and fail."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from bntui.probe.watching.own_frames import hidden
from bntui.probe.watching.replacements import Replacements

DICTIONARIES = ("_forward_pre_hooks", "_forward_hooks")
_known: set[type] = set()
"""Classes of hooks that torch takes off already."""


def make_scriptable(ours: type) -> None:
    """Have hooks of a class taken off a model while torch makes a script of it; once and for good.

    Without such hooks torch's function does what it did. Where torch has no such function nothing is done.
    """
    scripting: Any = getattr(torch.jit, "_recursive", None)
    if ours in _known or not hasattr(scripting, "create_script_module"):
        return
    _known.add(ours)

    @hidden
    def create(
        theirs: Callable[..., Any], nn_module: nn.Module, *arguments: Any, **named: Any
    ) -> Any:
        with _taken_off(nn_module, ours):
            return theirs(nn_module, *arguments, **named)

    Replacements().put(scripting, "create_script_module", create)


@contextmanager
def _taken_off(model: nn.Module, ours: type) -> Iterator[None]:
    """Take hooks off all of a model's modules for a while; all hooks then lie in the order they had."""

    def is_ours(hook: object) -> bool:
        return isinstance(hook, ours)

    found = [getattr(module, name) for module in model.modules() for name in DICTIONARIES]
    kept = [(hooks, dict(hooks)) for hooks in found if any(map(is_ours, hooks.values()))]
    for hooks, each in kept:
        for key, one in each.items():
            if is_ours(one):
                del hooks[key]
    try:
        yield
    finally:
        for hooks, each in kept:
            hooks.clear()
            hooks.update(each)
