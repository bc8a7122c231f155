"""Hooks on modules for as long as something is run: none is left, whatever happens meanwhile."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from torch import nn

Before = Callable[..., None]
"""Gets a module, the tuple of its inputs, and those that are named."""
After = Callable[..., None]
"""Gets a module, the tuple of its inputs, and its output."""


@contextmanager
def called_before(modules: Iterable[nn.Module], hook: Before) -> Iterator[None]:
    """Call `hook` meanwhile ahead of every call of some modules."""
    with ExitStack() as hooks:
        for module in modules:
            hooks.enter_context(module.register_forward_pre_hook(hook, with_kwargs=True))
        yield


@contextmanager
def called_after(modules: Iterable[nn.Module], hook: After) -> Iterator[None]:
    """Call `hook` meanwhile behind every call of some modules."""
    with ExitStack() as hooks:
        for module in modules:
            hooks.enter_context(module.register_forward_hook(hook))
        yield
