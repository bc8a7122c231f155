"""What a batch is made of: its structure, its samples, and which of its lists hold one element a sample.

A *list of samples* is a list inside a batch with one element a sample: file names, or the images of
different sizes and the dicts of boxes that detectors take. All other lists and tuples are fields.
"""

import copy
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from bntui.probe.errors import ProbeError


def counted(batch: Any) -> tuple[int, bool]:
    """Return how many samples a batch has, and whether a list of dicts tells it.

    It is the first dimension of the first tensor, but that of one in a list of tensors only where there
    is no other: such a list may be one of samples. Raises ProbeError where there is no tensor.
    """
    sure: list[int] = []
    unsure: list[int] = []

    def count(node: Any, counts: list[int]) -> None:
        if isinstance(node, Tensor):
            if node.dim():
                counts.append(len(node))
        elif is_container(node):
            parts = [node[key] for key in _keys(node)]
            inside_list = node is not batch and isinstance(node, list | tuple)
            for part in parts:
                only = inside_list and all(isinstance(one, Tensor) for one in parts)
                count(part, unsure if only else counts)

    listed = [] if not is_container(batch) else [batch[key] for key in _keys(batch)]
    for field in listed:
        if isinstance(field, list | tuple) and field and all(isinstance(x, Mapping) for x in field):
            return len(field), True
    count(batch, sure)
    if not sure and not unsure:
        raise ProbeError(
            f"A batch is {kind_of(batch)} without a tensor, so its samples can't be counted: let the loader give tensors."
        )
    return (sure or unsure)[0], False


def is_samples(node: Any, count: int, listed: bool) -> bool:
    """Tell whether something inside a batch of `count` samples is a list of them."""
    if not isinstance(node, list | tuple) or hasattr(node, "_fields") or len(node) != count:
        return False
    if listed or not _has_tensor(node):
        return True
    tensors = [one for one in node if isinstance(one, Tensor)]
    return len(tensors) == count and any(length(one) != count for one in tensors)


def changed(
    change: Callable[[Sequence[Any]], Any],
    nodes: Sequence[Any],
    is_leaf: Callable[[Sequence[Any]], bool] = lambda _nodes: False,
    inside: bool = False,
) -> Any:
    """Return what `change` makes of the leaves of batches of one structure, in that structure.

    `change` gets the leaves at one place of all batches; lists inside are leaves where `is_leaf` says so.
    Raises ProbeError where the structures differ.
    """
    first = nodes[0]
    if inside and is_leaf(nodes):
        return change(nodes)
    keys = _keys(first) if is_container(first) else []
    if any(type(node) is not type(first) or (keys and _keys(node) != keys) for node in nodes):
        raise ProbeError("Batches of different structures can't be joined.")
    if not is_container(first):
        return change(nodes)
    parts = [changed(change, [node[key] for node in nodes], is_leaf, True) for key in keys]
    return _rebuilt(first, keys, parts)


def _rebuilt(container: Any, keys: list[Any], parts: list[Any]) -> Any:
    """Return a container of the same type with other parts."""
    if isinstance(container, list | tuple):
        kind: Any = type(container)
        return kind(*parts) if hasattr(container, "_fields") else kind(parts)
    items = dict(zip(keys, parts, strict=True))
    if type(container) is dict or not isinstance(container, MutableMapping):
        return items
    rebuilt = copy.copy(container)
    rebuilt.update(items)
    return rebuilt


def _has_tensor(node: Any) -> bool:
    if is_container(node):
        return any(_has_tensor(node[key]) for key in _keys(node))
    return isinstance(node, Tensor)


def is_container(node: Any) -> bool:
    """Tell whether something has parts that are looked at."""
    return isinstance(node, Mapping | list | tuple) and not isinstance(node, PackedSequence)


def is_opaque(node: Any) -> bool:
    """Tell whether something holds tensors that are not seen here, such as a graph's."""
    return not isinstance(node, Tensor | list | Mapping) and callable(getattr(node, "to", None))


def _keys(container: Any) -> list[Any]:
    if isinstance(container, Mapping):
        return list(container)
    return list(range(len(container))) if isinstance(container, list | tuple) else []


def length(node: Any) -> int | None:
    """Return the first dimension of a tensor or an array, or the length of a list; None of others."""
    if isinstance(node, Tensor | np.ndarray):
        return len(node) if node.ndim else None
    return len(node) if isinstance(node, list | tuple) else None


def same(one: Any, other: Any) -> bool:
    """Tell whether two leaves of batches are one and the same for all samples."""
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and one.device == other.device and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    plain = isinstance(one, str | bytes | int | float | complex)
    return one is other or (plain and bool(one == other))


def kind_of(node: Any) -> str:
    """Return the type of something in words, with an article and the types of a few of its parts."""
    name = type(node).__name__
    name = f"{'an' if name[0].lower() in 'aeiou' or name == 'ndarray' else 'a'} {name}"
    if not is_container(node):
        return name
    parts = [type(node[key]).__name__ for key in _keys(node)[:4]]
    more = ", …" if len(_keys(node)) > 4 else ""
    return f"{name} of {', '.join(parts)}{more}" if parts else f"{name} of nothing"
