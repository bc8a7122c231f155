"""What a module keeps in its attributes: its tensors, modules and hooks, and whatever its author keeps there."""

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from operator import is_
from typing import Any

import torch
from torch import Tensor, nn

_REGISTERED = {"_parameters", "_buffers", "_modules", "_non_persistent_buffers_set"}
_PLAIN = {list, dict, set, deque, OrderedDict, defaultdict, Counter}
"""Containers of Python's own, whose contents are put back. Those of other kinds may do anything when written."""
MOST = 1_000_000
"""Values of a tensor that is no parameter and no buffer, up to which a copy of it is taken."""


def noted(module: nn.Module) -> Callable[[], None]:
    """Note which objects a module's attributes are and what its containers hold; return what puts that back.

    Containers within containers, and what other objects hold, are left alone.
    """
    attributes = vars(module)
    before = attributes.copy()
    contents = [
        (entries, entries.copy() if entries else ())  # most are empty
        for name, entries in before.items()
        if type(entries) in _PLAIN or _is_registry(name, entries)
    ]

    def put_back() -> None:
        for entries, then in contents:
            if (entries or then) and not _same(entries, then):
                _fill(entries, then)  # the same object again, which handles of hooks refer to
        if not _same(attributes, before):
            for name in attributes.keys() - before.keys():
                del attributes[name]
            attributes.update(before)

    return put_back


def unregistered(module: nn.Module) -> Iterator[Tensor]:
    """Return the tensors that are a module's attributes and no buffers of it, but for large ones."""
    for value in vars(module).values():
        if type(value) is Tensor and value.layout is torch.strided and value.numel() <= MOST:
            yield value


def _is_registry(name: str, entries: Any) -> bool:
    """Tell whether a module keeps its tensors, modules or hooks in it."""
    return isinstance(entries, dict | set) and (
        name in _REGISTERED or name.endswith("_hooks") or "_hooks_" in name
    )


def _same(now: Any, then: Any) -> bool:
    """Tell whether two containers hold the same objects; those of a set may be equal ones."""
    if len(now) != len(then):
        return False
    if isinstance(now, set):
        return bool(now == then)
    values = not isinstance(now, dict) or all(map(is_, now.values(), then.values()))
    return values and all(map(is_, now, then))


def _fill(entries: Any, then: Any) -> None:
    entries.clear()
    if isinstance(entries, list | deque):
        entries.extend(then)
    else:
        entries.update(then)
