"""Lets `torch.jit.script` see models without our hooks, which it would try to compile, and fail."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch
from torch import nn

DICTIONARIES = ("_forward_pre_hooks", "_forward_hooks")


def make_scriptable(ours: type) -> None:
    """Have hooks of a class taken off a model while torch makes a script of it; once and for good.

    Without such hooks torch's function does what it did. Where torch has no such function nothing is done.
    """
    scripting: Any = getattr(torch.jit, "_recursive", None)
    create: Callable[..., Any] | None = getattr(scripting, "create_script_module", None)
    if create is None or hasattr(create, "__wrapped__"):
        return

    @wraps(create)
    def created(nn_module: nn.Module, *arguments: Any, **named: Any) -> Any:
        with _taken_off(nn_module, ours):
            return create(nn_module, *arguments, **named)

    scripting.create_script_module = created


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
